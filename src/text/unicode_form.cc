#include "text/unicode_form.h"

#include <algorithm>
#include <vector>

#include "text/character_edits.h"

namespace inlay::text {
namespace {

struct Edit : CharacterEdit {
  int combining_class;
};

// Canonical ordering: runs of marks are sorted by class, keeping the order within a class.
void sort_marks(std::vector<Edit>& edits, std::size_t begin) {
  std::stable_sort(
      edits.begin() + static_cast<std::ptrdiff_t>(begin), edits.end(),
      [](const Edit& a, const Edit& b) { return a.combining_class < b.combining_class; });
}

std::vector<Edit> decomposed_edits(const std::string& bytes, Decomposition kind) {
  std::vector<Edit> edits;
  edits.reserve(bytes.size());
  std::size_t run = 0;  // where the marks after the last starter begin
  std::u32string parts;
  for (std::size_t at = 0; at < bytes.size();) {
    const Utf8Char c = decode_utf8(bytes, at);
    at += c.length;
    parts.clear();
    append_decomposed(parts, c.code, kind);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const int mark = combining_class(parts[i]);
      if (mark == 0) sort_marks(edits, run);
      edits.push_back({{parts[i], i == 0 ? 0 : 1}, mark});
      if (mark == 0) run = edits.size();
    }
  }
  sort_marks(edits, run);
  return edits;
}

// Unicode Standard, section 3.11: a character joins the last starter unless one of its own class or
// none lies between.
std::vector<Edit> composed_edits(const std::vector<Edit>& edits) {
  std::vector<Edit> out;
  out.reserve(edits.size());
  constexpr std::size_t kNone = SIZE_MAX;
  std::size_t starter = kNone;
  int last_class = -1;  // of the mark before, -1 right after the starter
  for (const Edit& edit : edits) {
    const bool reachable = starter != kNone && last_class < edit.combining_class;
    if (const char32_t joined = reachable ? composed(out[starter].code, edit.code) : 0;
        joined != 0) {
      out[starter].code = joined;
      out[starter].change += edit.change - 1;
      continue;
    }
    if (edit.combining_class == 0) starter = out.size();
    last_class = edit.combining_class == 0 ? -1 : edit.combining_class;
    out.push_back(edit);
  }
  return out;
}

}  // namespace

void decompose(AlignedText& text, Decomposition kind) {
  if (is_ascii(text.bytes())) return;
  apply_edits(text, decomposed_edits(text.bytes(), kind));
}

void decompose_and_compose(AlignedText& text, Decomposition kind) {
  if (is_ascii(text.bytes())) return;
  apply_edits(text, composed_edits(decomposed_edits(text.bytes(), kind)));
}

}  // namespace inlay::text
