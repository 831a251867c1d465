#include "models/gguf_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "formats/gguf_names.h"
#include "formats/rotary_rows.h"
#include "models/decoder_metadata.h"
#include "models/family.h"
#include "models/gguf_tokenizer.h"
#include "tensor/transposed.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTypes = "q8_0, q4_0, f16, bf16, f32";

const GgufType* type_named(const std::string& name) {
  constexpr std::pair<const char*, BlockFormat> kBlocks[] = {{"q8_0", BlockFormat::kQ80},
                                                             {"q4_0", BlockFormat::kQ40}};
  constexpr std::pair<const char*, DType> kPlain[] = {
      {"f16", DType::kF16}, {"bf16", DType::kBF16}, {"f32", DType::kF32}};
  for (const auto& [known, format] : kBlocks) {
    if (name == known) return find_gguf_type(format);
  }
  for (const auto& [known, dtype] : kPlain) {
    if (name == known) return find_gguf_type(dtype);
  }
  require(
      name != "nf4" && name != "int8", ErrorKind::kUsage,
      "GGUF files hold no {}; expected {}. To train over a base in {}, give train --quantise {}",
      name, kTypes, name, name);
  fail(ErrorKind::kUsage, "GGUF files are not written as \"{}\"; expected {}", name, kTypes);
}

// "Mostly" of llama.cpp's llama_ftype.
uint32_t file_type(const GgufType& linear) {
  if (linear.format == BlockFormat::kQ80) return 7;
  if (linear.format == BlockFormat::kQ40) return 2;
  return linear.dtype == DType::kF16 ? 1 : linear.dtype == DType::kBF16 ? 32 : 0;
}

// ||W - V|| / ||W|| of two tensors of one shape, in double; 0 for a W of zeros, NaN where W has a
// value that is no finite number.
double relative_error(const Tensor& weight, const Tensor& held) {
  const Tensor wanted = weight.to(DType::kF32), found = held.to(DType::kF32);
  double error = 0, norm = 0;
  for (int64_t i = 0; i < wanted.count(); ++i) {
    const auto value = static_cast<double>(wanted.data<float>()[i]);
    const double difference = value - static_cast<double>(found.data<float>()[i]);
    error += difference * difference;
    norm += value * value;
  }
  return norm == 0 ? 0.0 : std::sqrt(error / norm);
}

// "blk.3.attn_q.weight" is of the kind "attn_q".
std::string kind_of(const std::string& name, const Tensor& tensor) {
  if (tensor.shape().rank() == 1) return "norms and biases";
  std::string kind = name.substr(0, name.rfind('.'));
  return kind.starts_with("blk.") ? kind.substr(kind.find('.', 4) + 1) : kind;
}

class GgufWriter {
 public:
  GgufWriter(const Model& model, const DecoderSizes& sizes, const GgufTargets& targets)
      : model_(model), sizes_(sizes), targets_(targets), type_(model.facts().model_type) {}

  void add_tensors();
  GgufReport write(const fs::path& out);

 private:
  // Tensors of the base that the file holds, under the names of a model with a head.
  std::vector<std::pair<std::string, std::string>> wanted() const;
  Tensor changed(const std::string& name, const Tensor& tensor) const;
  const GgufType* type_of(const std::string& name, const Tensor& tensor) const;
  void add(const std::string& name, const Tensor& tensor);

  const Model& model_;
  const DecoderSizes& sizes_;
  GgufTargets targets_;
  std::string type_;
  std::vector<NamedGgufTensor> tensors_;
  GgufReport report_;
};

std::vector<std::pair<std::string, std::string>> GgufWriter::wanted() const {
  const BaseFacts& facts = model_.facts();
  const Family& family = find_family(model_.config());
  auto begins = [](const std::string& name, const std::vector<std::string>& all) {
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& one) { return name.starts_with(one); });
  };
  auto ends = [](const std::string& name, const std::vector<std::string>& all) {
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& one) { return name.ends_with(one); });
  };
  std::vector<std::pair<std::string, std::string>> names;
  for (const std::string& name : model_.checkpoint().names()) {
    const bool projection = name == "lm_head.weight" && !sizes_.tied;
    if (ends(name, family.buffers) || (!projection && begins(name, family.head_tensors))) continue;
    const bool whole = projection || name.starts_with(facts.prefix);
    const std::optional<std::string> own = gguf_name(type_, whole ? name : facts.prefix + name);
    require(own.has_value(), ErrorKind::kInput,
            "{}: llama.cpp has no name for the tensor {} of a base of type {}",
            facts.folder.string(), name, type_);
    names.emplace_back(name, *own);
  }
  return names;
}

// What llama.cpp's converter changes (formats/gguf_checkpoint.h).
Tensor GgufWriter::changed(const std::string& name, const Tensor& tensor) const {
  const bool matrix = tensor.shape().rank() == 2;
  if (gguf_architecture(type_) == "llama") {
    if (name.find(".attn_q.") != name.npos) return interleave_rows(tensor, sizes_.heads);
    if (name.find(".attn_k.") != name.npos) return interleave_rows(tensor, sizes_.kv_heads);
  }
  if (type_ == "gpt2" && matrix && name.starts_with("blk.")) return transposed(tensor);
  if (!type_.starts_with("gemma") || !name.ends_with("norm.weight")) return tensor;
  Tensor shifted = tensor.to(DType::kF32).clone();
  for (int64_t i = 0; i < shifted.count(); ++i) shifted.mutable_data<float>()[i] += 1;
  return shifted;
}

const GgufType* GgufWriter::type_of(const std::string& name, const Tensor& tensor) const {
  if (tensor.shape().rank() == 1 || name == "position_embd.weight")
    return find_gguf_type(DType::kF32);
  const bool table = name == "token_embd.weight" || name == "output.weight";
  const GgufType* type = table ? targets_.tables : targets_.linear;
  return tensor.dim(1) % type->block_length == 0 ? type : find_gguf_type(tensor.dtype());
}

void GgufWriter::add(const std::string& name, const Tensor& tensor) {
  const GgufType* type = type_of(name, tensor);
  const std::string kind = kind_of(name, tensor);
  auto row = std::find_if(report_.kinds.begin(), report_.kinds.end(),
                          [&](const GgufKindReport& one) { return one.kind == kind; });
  if (row == report_.kinds.end()) row = report_.kinds.insert(row, {.kind = kind});
  double error = 0;
  if (type->format.has_value()) {
    QuantisedMatrix matrix = QuantisedMatrix::quantise(tensor, *type->format);
    error = inlay::relative_error(tensor, matrix);
    row->bytes_after += matrix.bytes().size();
    tensors_.push_back({name, std::move(matrix)});
  } else {
    Tensor held = tensor.to(*type->dtype);
    error = relative_error(tensor, held);
    row->bytes_after += held.byte_count();
    tensors_.push_back({name, std::move(held)});
  }
  require(
      !std::isnan(error), ErrorKind::kInput,
      "{}: tensor {} holds a NaN or an infinity; expected finite weights, give another checkpoint",
      model_.facts().folder.string(), name);
  require(std::isfinite(error), ErrorKind::kInput,
          "{}: tensor {} has values that {} cannot hold; use bf16 or f32",
          model_.facts().folder.string(), name, type->name);
  row->type = type->name;
  row->error = std::max(row->error, error);
  row->bytes_before += tensor.byte_count();
  ++row->tensors;
}

void GgufWriter::add_tensors() {
  for (const auto& [name, own] : wanted()) {
    add(own, changed(own, model_.checkpoint().tensor(name)));
    model_.checkpoint().drop_pages(name);
  }
}

GgufReport GgufWriter::write(const fs::path& out) {
  const fs::path& folder = model_.facts().folder;
  GgufMetadata metadata;
  for (NamedGgufTensor& rotary : set_gguf_config(metadata, model_.config(), sizes_))
    tensors_.push_back(std::move(rotary));
  metadata.set("general.type", GgufValue::of(std::string("model")));
  metadata.set("general.name", GgufValue::of(fs::absolute(folder).filename().string()));
  metadata.set("general.file_type", GgufValue::of(file_type(*targets_.linear)));
  if (targets_.linear->format.has_value())
    metadata.set("general.quantization_version", GgufValue::of(uint32_t{2}));
  report_.no_tokenizer = set_gguf_tokenizer(metadata, folder, sizes_.vocabulary);
  write_gguf(out, metadata, tensors_);
  return std::move(report_);
}

const DecoderSizes& sizes_of(const Model& model) {
  const auto* decoder = dynamic_cast<const PreNormDecoder*>(&model);
  require(decoder != nullptr, ErrorKind::kInput,
          "{}: a base of type {} is no decoder; GGUF files are written of decoders alone",
          model.facts().folder.string(), model.facts().model_type);
  return decoder->sizes();
}

// What is read from the file must compute what the base does.
std::string check_written(const fs::path& out, const Model& model) {
  auto reopened = load_model(out, {.language_model = true});
  const std::string difference = first_difference(sizes_of(model), sizes_of(*reopened));
  require(difference.empty(), ErrorKind::kInput,
          "{}: llama.cpp's architecture \"{}\" cannot say {} of this base",
          model.facts().folder.string(), gguf_architecture(model.facts().model_type), difference);
  return reopened->facts().root_hash;
}

}  // namespace

GgufTargets gguf_targets(const std::string& linear, const std::string& tables) {
  const GgufType* layers = type_named(linear);
  if (!tables.empty()) return {layers, type_named(tables)};
  return {layers, layers->format.has_value() ? find_gguf_type(BlockFormat::kQ80) : layers};
}

GgufReport write_gguf_model(const fs::path& folder, const fs::path& out,
                            const GgufTargets& targets) {
  require(out.extension() == ".gguf", ErrorKind::kUsage,
          "{}: expected a name that ends in .gguf, by which the file is recognised", out.string());
  require(!fs::exists(out), ErrorKind::kUsage, "{} is there already; give another name",
          out.string());
  require(fs::is_directory(folder), ErrorKind::kUsage,
          "{}: expected a Hugging Face model folder; what a file holds in blocks is not made of "
          "blocks again",
          folder.string());
  auto model = load_model(folder, {.language_model = true});
  GgufWriter writer(*model, sizes_of(*model), targets);
  writer.add_tensors();
  GgufReport report = writer.write(out);
  try {
    report.root_hash = check_written(out, *model);
  } catch (...) {
    fs::remove(out);
    throw;
  }
  return report;
}

}  // namespace inlay
