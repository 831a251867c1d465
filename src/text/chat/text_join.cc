#include "text/chat/text_join.h"

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

MarkedText repeated(const MarkedText& text, int64_t count) {
  MarkedText result;
  if (text.empty()) return result;
  for (; count > 0; --count) result.append(text);
  return result;
}

}  // namespace inlay::chat
