#include "text/chat/text_join.h"

#include <algorithm>

#include "text/chat/value_text.h"

namespace inlay::chat {

MarkedText joined(Heap& heap, const std::vector<Value>& parts, const MarkedText& separator) {
  MarkedText result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    heap.budget.step();
    if (i > 0) result.append(separator);
    if (parts[i].is_string()) {
      result.append(parts[i].text());
    } else {
      result.append(to_text(heap, parts[i]));
    }
  }
  return result;
}

MarkedText repeated(Heap& heap, const MarkedText& text, int64_t count) {
  MarkedText result;
  if (text.empty() || count <= 0) return result;
  const std::size_t most = kMaxTextBytes / text.size() + 1;  // what append() refuses
  heap.budget.text(text.size() * std::min(static_cast<std::size_t>(count), most));
  for (MarkedText doubled = text; count > 0; count /= 2) {
    if (count % 2 != 0) result.append(doubled);
    if (count > 1) doubled.append(MarkedText(doubled));
  }
  return result;
}

}  // namespace inlay::chat
