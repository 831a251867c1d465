#include "text/special_roles.h"

#include "base/error.h"
#include "base/json.h"

namespace inlay::text {
namespace {

constexpr std::string_view kRoles[] = {"cls", "sep", "pad", "unk", "mask", "bos", "eos"};

constexpr std::string_view kCls[] = {"[CLS]", "<s>"};
constexpr std::string_view kSep[] = {"[SEP]", "</s>"};
constexpr std::string_view kPad[] = {"[PAD]", "<pad>", "<|pad|>"};
constexpr std::string_view kUnk[] = {"[UNK]", "<unk>"};
constexpr std::string_view kMask[] = {"[MASK]", "<mask>"};
constexpr std::string_view kBos[] = {"<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>",
                                     "<|endoftext|>"};
constexpr std::string_view kEos[] = {"</s>", "<eos>", "<|end_of_text|>", "<|im_end|>",
                                     "<|endoftext|>"};
constexpr std::span<const std::string_view> kNames[] = {kCls, kSep, kPad, kUnk, kMask, kBos, kEos};

}  // namespace

std::span<const std::string_view> special_roles() { return kRoles; }

std::optional<std::string> configured_token(const Json& config, std::string_view role) {
  const auto found = config.find(fmt::format("{}_token", role));
  if (found == config.end()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  const auto content = found->is_object() ? found->find("content") : config.end();
  if (!found->is_object() || content == found->end() || !content->is_string()) return std::nullopt;
  return content->get<std::string>();
}

std::span<const std::string_view> usual_names(std::string_view role) {
  for (std::size_t i = 0; i < std::size(kRoles); ++i) {
    if (kRoles[i] == role) return kNames[i];
  }
  return {};
}

}  // namespace inlay::text
