#include "adapters/composition_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/spec.h"

namespace inlay {
namespace {

constexpr int kDeepest = 16;
constexpr std::size_t kMostLeaves = 64;
constexpr const char* kSingle = "single";  // AdapterHub's type of a leaf

struct Operation {
  Composing what;
  const char* name;
  const char* adapterhub;  // null: AdapterHub has none
};
constexpr std::array<Operation, 6> kOperations = {{{Composing::kStack, "stack", "Stack"},
                                                   {Composing::kFuse, "fuse", "Fuse"},
                                                   {Composing::kAverage, "average", "Average"},
                                                   {Composing::kSplit, "split", "Split"},
                                                   {Composing::kParallel, "parallel", "Parallel"},
                                                   {Composing::kDrop, "drop", nullptr}}};

const Operation& operation_of(Composing what) {
  return *std::find_if(kOperations.begin(), kOperations.end(),
                       [what](const Operation& known) { return known.what == what; });
}

// The operation whose name and parenthesis a text begins with; null for a leaf.
const Operation* operation_at(std::string_view text) {
  std::size_t open = text.find('(');
  if (open == std::string_view::npos) return nullptr;
  std::string_view name = trim(text.substr(0, open));
  auto found = std::find_if(kOperations.begin(), kOperations.end(),
                            [name](const Operation& known) { return name == known.name; });
  return found == kOperations.end() ? nullptr : &*found;
}

// Pieces between commas outside parentheses, brackets and quotes.
std::vector<std::string> arguments_of(std::string_view text) {
  std::vector<std::string> pieces(1);
  int depth = 0;
  bool quoted = false;
  for (char c : text) {
    if (c == '\'') quoted = !quoted;
    if (!quoted && (c == '(' || c == '[')) ++depth;
    if (!quoted && (c == ')' || c == ']')) --depth;
    if (c == ',' && depth == 0 && !quoted) {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  for (std::string& piece : pieces) piece = std::string(trim(piece));
  return pieces;
}

double number_of(std::string_view text, std::string_view where) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
          ErrorKind::kUsage, "\"{}\" in \"{}\" is not a number", text, where);
  return value;
}

// The last colon outside brackets and parentheses: before a weight.
std::size_t weight_colon(std::string_view text) {
  int depth = 0;
  std::size_t found = std::string_view::npos;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') quoted = !quoted;
    if (quoted) continue;
    if (text[i] == '(' || text[i] == '[') ++depth;
    if (text[i] == ')' || text[i] == ']') --depth;
    if (text[i] == ':' && depth == 0) found = i;
  }
  return found;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

CompositionNode parse_leaf(std::string_view text, std::string_view whole) {
  CompositionNode leaf;
  leaf.finished = text.starts_with('@');
  if (leaf.finished) text.remove_prefix(1);
  std::size_t equal = text.find('='), bracket = text.find('[');
  if (equal != std::string_view::npos && (bracket == std::string_view::npos || equal < bracket)) {
    leaf.name = std::string(trim(text.substr(0, equal)));
    leaf.method = std::string(trim(text.substr(equal + 1)));
  } else if (bracket != std::string_view::npos) {
    leaf.name = std::string(trim(text.substr(0, bracket)));
    leaf.method = std::string(text);
  } else {
    leaf.name = std::string(text);
  }
  require(is_name(leaf.name), ErrorKind::kUsage,
          "\"{}\" in \"{}\" is no adapter; expected a name of letters, digits, _ and -, a method "
          "such as lora[r=4], or an operation: stack, fuse, average, split, parallel, drop",
          text, whole);
  return leaf;
}

// What only one operation has: weights, token counts, layers.
void read_numbers(CompositionNode& node, const std::vector<std::string>& given,
                  std::string_view whole) {
  std::size_t count = node.children.size();
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].empty()) continue;
    bool split_end = node.what == Composing::kSplit && i + 1 == count;
    require(node.what == Composing::kAverage || (node.what == Composing::kSplit && !split_end),
            ErrorKind::kUsage,
            "\":{}\" in \"{}\" has no meaning there; average takes weights, split the number of "
            "tokens of each part but the last",
            given[i], whole);
    node.numbers.push_back(number_of(given[i], whole));
  }
  if (node.what == Composing::kAverage) {
    if (node.numbers.empty()) node.numbers.assign(count, 1.0);
    double sum = 0;
    for (double weight : node.numbers) sum += weight;
    require(
        node.numbers.size() == count && sum != 0, ErrorKind::kUsage,
        "\"{}\" has weights for {} of {} adapters, of sum {}; give one to each or to none, of a "
        "sum other than 0",
        whole, node.numbers.size(), count, sum);
    for (double& weight : node.numbers) weight /= sum;
  }
  if (node.what == Composing::kSplit) {
    bool whole_counts = std::all_of(node.numbers.begin(), node.numbers.end(), [](double tokens) {
      return tokens >= 1 && tokens == std::floor(tokens);
    });
    require(node.numbers.size() + 1 == count && whole_counts, ErrorKind::kUsage,
            "\"{}\" must say how many tokens each part but the last takes, such as split(a:12, b)",
            whole);
  }
}

CompositionNode parse_node(std::string_view text, int depth) {
  text = trim(text);
  require(depth <= kDeepest, ErrorKind::kUsage, "a composition is nested more than {} deep",
          kDeepest);
  const Operation* operation = operation_at(text);
  if (operation == nullptr) return parse_leaf(text, text);
  require(text.ends_with(')'), ErrorKind::kUsage, "\"{}\" does not end with )", text);
  std::size_t open = text.find('(');
  CompositionNode node{.what = operation->what};
  std::vector<std::string> given;
  for (const std::string& piece : arguments_of(text.substr(open + 1, text.size() - open - 2))) {
    bool layer = node.what == Composing::kDrop && !node.children.empty();
    if (layer) {
      double number = number_of(piece, text);
      require(number >= 0 && number == std::floor(number), ErrorKind::kUsage,
              "layer {} in \"{}\"; expected 0 or more", piece, text);
      node.numbers.push_back(number);
      continue;
    }
    std::size_t colon = weight_colon(piece);
    bool weighed = colon != std::string::npos;
    given.push_back(weighed ? std::string(trim(std::string_view(piece).substr(colon + 1))) : "");
    node.children.push_back(
        parse_node(weighed ? std::string_view(piece).substr(0, colon) : piece, depth + 1));
    require(node.children.back().what != Composing::kParallel, ErrorKind::kUsage,
            "parallel stands inside \"{}\"; it must be the outermost operation", text);
  }
  if (node.what == Composing::kDrop) {
    require(!node.numbers.empty(), ErrorKind::kUsage,
            "\"{}\" drops no layer; name some, such as drop(a, 0, 1)", text);
    return node;
  }
  require(node.children.size() >= 2, ErrorKind::kUsage,
          "\"{}\" has {} adapters; expected 2 or more", text, node.children.size());
  read_numbers(node, given, text);
  return node;
}

CompositionNode leaf_from(const Json& children, const std::string& where) {
  bool name = children.is_array() && children.size() == 1 && children.front().is_string();
  require(name && is_name(children.front().get<std::string>()), ErrorKind::kInput,
          "{}: \"children\" of a single adapter is {}; expected one name of letters, digits, _ and "
          "-",
          where, children.dump(-1, ' ', true).substr(0, 80));
  CompositionNode leaf;
  leaf.name = children.front().get<std::string>();
  return leaf;
}

CompositionNode node_from(const Json& setup, const std::string& where, int depth) {
  require(depth <= kDeepest, ErrorKind::kInput, "{}: nested more than {} deep", where, kDeepest);
  auto type = json_get<std::string>(setup, "type", where);
  Json children = setup.value("children", Json());
  if (type == kSingle) return leaf_from(children, where);
  require(type == "Stack" || type == "Fuse", ErrorKind::kInput,
          "{}: \"type\" is \"{}\"; of AdapterHub's compositions Stack and Fuse compute the same "
          "here",
          where, type);
  require(children.is_array() && !children.empty() && children.size() <= kMostLeaves,
          ErrorKind::kInput, "{}: \"children\" of {} is {}; expected a list of 1 to {}", where,
          type, children.dump(-1, ' ', true).substr(0, 80), kMostLeaves);
  CompositionNode node{.what = type == "Stack" ? Composing::kStack : Composing::kFuse};
  for (const Json& child : children) node.children.push_back(node_from(child, where, depth + 1));
  return node;
}

void collect(const CompositionNode& node, std::vector<const CompositionNode*>& leaves) {
  if (node.what == Composing::kLeaf) leaves.push_back(&node);
  for (const CompositionNode& child : node.children) collect(child, leaves);
}

// Names that came twice are numbered: a, a_2.
void number_names(CompositionNode& node, std::map<std::string, int>& seen) {
  if (node.what == Composing::kLeaf) {
    int count = ++seen[node.name];
    if (count > 1 && !node.method.empty()) node.name += fmt::format("_{}", count);
  }
  for (CompositionNode& child : node.children) number_names(child, seen);
}

}  // namespace

bool is_composition(const std::string& text) { return operation_at(trim(text)) != nullptr; }

CompositionNode parse_composition(const std::string& text) {
  CompositionNode node = parse_node(text, 1);
  require(leaves_of(node).size() <= kMostLeaves, ErrorKind::kUsage,
          "a composition of {} adapters, more than {}", leaves_of(node).size(), kMostLeaves);
  std::map<std::string, int> seen;
  number_names(node, seen);
  return node;
}

std::string composition_text(const CompositionNode& node) {
  if (node.what == Composing::kLeaf) {
    std::string leaf = node.finished ? "@" : "";
    return leaf + node.name + (node.method.empty() ? "" : "=" + node.method);
  }
  std::string text;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) text += ", ";
    text += composition_text(node.children[i]);
    bool weighed = node.what == Composing::kAverage || node.what == Composing::kSplit;
    if (weighed && i < node.numbers.size()) text += fmt::format(":{}", node.numbers[i]);
  }
  if (node.what == Composing::kDrop) {
    for (double layer : node.numbers) text += fmt::format(", {}", layer);
  }
  return fmt::format("{}({})", operation_of(node.what).name, text);
}

std::vector<const CompositionNode*> leaves_of(const CompositionNode& node) {
  std::vector<const CompositionNode*> leaves;
  collect(node, leaves);
  return leaves;
}

Json adapterhub_setup(const CompositionNode& node) {
  if (node.what == Composing::kLeaf)
    return {{"type", kSingle}, {"children", Json::array({node.name})}};
  const Operation& operation = operation_of(node.what);
  require(operation.adapterhub != nullptr, ErrorKind::kUsage,
          "AdapterHub's adapter_setup.json has no form for {}", operation.name);
  Json setup{{"type", operation.adapterhub}, {"children", Json::array()}};
  for (const CompositionNode& child : node.children)
    setup["children"].push_back(adapterhub_setup(child));
  if (node.what == Composing::kAverage) setup["kwargs"] = {{"weights", node.numbers}};
  if (node.what == Composing::kSplit) setup["kwargs"] = {{"splits", node.numbers}};
  return setup;
}

bool has_adapterhub_setup(const CompositionNode& node) {
  bool here = node.what == Composing::kLeaf || operation_of(node.what).adapterhub != nullptr;
  return here && std::all_of(node.children.begin(), node.children.end(), has_adapterhub_setup);
}

CompositionNode composition_from_adapterhub(const Json& setup, const std::string& where) {
  return node_from(setup, where, 1);
}

}  // namespace inlay
