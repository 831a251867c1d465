// Any bytes as a chat template: it renders a small conversation or raises an Error, within the
// limits, and its spans cover what it renders.
#include "text/chat/chat_template.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"

namespace {

const inlay::OrderedJson& messages() {
  static const auto parsed = inlay::OrderedJson::parse(R"([
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": " näïve <|im_end|> 😀\n"}]},
    {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes.", "tool_calls": [
      {"id": "abc123def", "function": {"name": "f", "arguments": {"a": 1, "b": [2.5, null, true]}}}]},
    {"role": "tool", "content": "21.5", "tool_call_id": "abc123def"}])");
  return parsed;
}

inlay::RenderOptions options() {
  inlay::RenderOptions result{
      .add_generation_prompt = true, .bos_token = "<s>", .eos_token = "</s>", .now = std::tm{}};
  result.tools = messages()[2]["tool_calls"];
  return result;
}

void check_spans(const inlay::Rendered& rendered) {
  std::size_t at = 0;
  for (const inlay::Span& span : rendered.spans) {
    if (span.begin != at || span.end <= at || span.message >= 4) std::abort();
    at = span.end;
  }
  if (at != rendered.text.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try {
    const std::string_view source(reinterpret_cast<const char*>(data), size);
    const auto chat = inlay::ChatTemplate::parse(source, "fuzz");
    const inlay::Rendered rendered = chat.render(messages(), options());
    check_spans(rendered);
    inlay::assistant_spans(rendered, messages());
  } catch (const inlay::Error&) {
  }
  return 0;
}
