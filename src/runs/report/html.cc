#include "runs/report/html.h"

#include <utility>

namespace inlay {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if ((code < 0x20 && c != '\n' && c != '\t') || code == 0x7F) {
      out += "\uFFFD";
    } else {
      out += c;
    }
  }
  return out;
}

std::string start_tag(const char* name, const Attributes& attributes) {
  std::string tag = std::string("<") + name;
  for (const auto& [key, value] : attributes) {
    tag += std::string(" ") + key + "=\"" + escaped(value) + "\"";
  }
  return tag;
}

}  // namespace

Html Html::trusted(std::string markup) {
  Html html;
  html.markup_ = std::move(markup);
  return html;
}

Html& Html::operator+=(const Html& more) {
  markup_ += more.markup_;
  return *this;
}

Html text(std::string_view text) { return Html::trusted(escaped(text)); }

Html element(const char* name, const Attributes& attributes, const Html& inside) {
  return Html::trusted(start_tag(name, attributes) + ">" + inside.markup() + "</" + name + ">");
}

Html element(const char* name, const Html& inside) { return element(name, {}, inside); }

Html empty_element(const char* name, const Attributes& attributes) {
  return Html::trusted(start_tag(name, attributes) + "/>");
}

std::string shortened(std::string_view text, std::size_t count) {
  std::size_t characters = 0;
  std::size_t cut = 0;  // where the text ends if an ellipsis must follow
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (characters + 1 == count) cut = i;
    if (++characters > count) return std::string(text.substr(0, cut)) + "…";
  }
  return std::string(text);
}

}  // namespace inlay
