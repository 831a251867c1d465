// Classification heads as Hugging Face's models have them, and as AdapterHub keeps the same ones:
// head_config.json beside heads.<name>.1.weight and, with a dense layer first,
// heads.<name>.4.weight.
#pragma once

#include "adapters/exchange/formats.h"

namespace inlay::exchange {

// A head of another form stays under AdapterHub's names, as a foreign one, which no writer takes.
void read_adapterhub_head(const Source& source, LoraAdapter& adapter);

// `about` is what every configuration file of AdapterHub says: model, name, version. kInput for a
// head that AdapterHub would not compute alike.
void write_adapterhub_head(LoraAdapter& adapter, const Json& about, const Target& target);

// Heads in files of our own, head.json: refused by every writer.
void read_own_head(const std::filesystem::path& folder, LoraAdapter& adapter);

}  // namespace inlay::exchange
