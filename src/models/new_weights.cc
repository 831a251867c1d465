#include "models/new_weights.h"

#include "base/files.h"
#include "models/family.h"
#include "models/weight_source.h"

namespace inlay {

std::vector<NamedTensor> new_weights(const ModelConfig& config, DType dtype, uint64_t seed) {
  const Family& family = find_family(config);
  BaseFacts facts;
  facts.model_type = config.text("model_type");
  family.describe(config, facts);
  std::vector<NamedTensor> tensors;
  WeightSource weights(NewWeights{.deviation = config.number_or("initializer_range", 0.02, 0, 10),
                                  .dtype = dtype,
                                  .seed = seed,
                                  .made = &tensors},
                       facts.prefix, config.where());
  family.build(config, facts, {.language_model = facts.causal}, weights);
  return tensors;
}

void write_new_model(const std::filesystem::path& folder, const ModelConfig& config, DType dtype,
                     uint64_t seed) {
  write_safetensors(folder / "model.safetensors", new_weights(config, dtype, seed),
                    {{"format", "pt"}});
  Json json = config.json();
  json["torch_dtype"] = dtype == DType::kBF16 ? "bfloat16" : "float32";
  write_file_atomically(folder / "config.json", pretty_json(json));
}

}  // namespace inlay
