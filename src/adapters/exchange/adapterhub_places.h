// Where AdapterHub puts LoRA in each architecture: the query, key and value of self-attention, and
// the two linear layers of the feed-forward network. It has no others.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace inlay::exchange {

inline constexpr const char* kAdapterHubLora = "AdapterHub's LoRA";  // in messages

enum class AdapterHubPlace { kQuery, kKey, kValue, kIntermediate, kOutput };

// The place of a module by what follows the layer's number in its name; nothing for one that
// AdapterHub does not adapt. Its Llama and Mistral call down_proj "intermediate" and up_proj
// "output", the other way round than everywhere else (mixin_llama.py), and files follow that.
std::optional<AdapterHubPlace> adapterhub_place(std::string_view model_type, std::string_view rest);

// "BertAdapterModel"; empty for a model type whose names in AdapterHub are not known here.
std::string adapterhub_class(std::string_view model_type);

}  // namespace inlay::exchange
