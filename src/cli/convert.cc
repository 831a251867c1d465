// inlay convert: an adapter from one library's files into another's. LoRA needs no base for it.
// With
// --tokenizer a model file of llama2.c becomes a Hugging Face folder.
#include "adapters/exchange/convert.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/convert_llama2c.h"
#include "cli/convert_with_base.h"
#include "cli/registration.h"

namespace inlay::cli {
namespace {

struct ConvertOptions {
  Common common;
  std::string adapter, to, out, tokenizer, model, model_type, name;
  int64_t heads = 0, kv_heads = 0;
  bool allow_rounding = false, without_head = false;
};

exchange::BaseShape base_shape(const ConvertOptions& options) {
  exchange::BaseShape shape;
  if (!options.model.empty()) shape = exchange::read_base_shape(resolve_model(options.model));
  if (!options.model_type.empty()) shape.model_type = options.model_type;
  if (options.heads > 0) shape.kv_heads = shape.heads = options.heads;
  if (options.kv_heads > 0) shape.kv_heads = options.kv_heads;
  return shape;
}

Json conversion_json(const ConvertOptions& options, const exchange::Conversion& done) {
  return {{"from", exchange::file_format_name(done.from)},
          {"to", options.to},
          {"folder", options.out},
          {"kind", done.dora ? "dora" : "lora"},
          {"modules", done.modules},
          {"parameters", done.parameters},
          {"rank", done.rank.has_value() ? Json(*done.rank) : Json()},
          {"scale", done.scale.has_value() ? Json(*done.scale) : Json()},
          {"notes", done.notes}};
}

std::string number_or_several(const Json& value) {
  return value.is_null() ? "several" : fmt::format("{}", value.get<double>());
}

void print_conversion(const Json& json) {
  auto kind = json.at("kind").get<std::string>();
  bool lora = kind == "lora" || kind == "dora";
  if (lora) kind = kind == "dora" ? "DoRA" : "LoRA";
  fmt::print("{} from {} to {}: {}\n", kind, json.at("from").get<std::string>(),
             json.at("to").get<std::string>(), json.at("folder").get<std::string>());
  fmt::print("modules {}, parameters {}", format_count(json.at("modules").get<int64_t>()),
             format_count(json.at("parameters").get<int64_t>()));
  if (lora)
    fmt::print(", rank {}, scale {}", number_or_several(json.at("rank")),
               number_or_several(json.at("scale")));
  fmt::print("\n");
  for (const Json& note : json.at("notes")) fmt::print("note: {}\n", note.get<std::string>());
}

Json convert(const ConvertOptions& options) {
  if (!options.tokenizer.empty())
    return convert_llama2c(options.adapter, options.tokenizer, options.out);
  require(!options.to.empty(), ErrorKind::kUsage,
          "--to is missing; expected {}, or for a model file of llama2.c --tokenizer",
          exchange::file_format_names());
  exchange::FileFormat to = exchange::file_format_from_name(options.to);
  if (!exchange::holds_lora(options.adapter)) {
    return convert_with_base({.adapter = options.adapter,
                              .out = options.out,
                              .model = options.model,
                              .name = options.name,
                              .without_head = options.without_head},
                             to);
  }
  return conversion_json(options,
                         exchange::convert_adapter(options.adapter, to, options.out,
                                                   {.base = base_shape(options),
                                                    .name = options.name,
                                                    .allow_rounding = options.allow_rounding,
                                                    .without_head = options.without_head}));
}

void run_convert(const ConvertOptions& options) {
  Json json = convert(options);
  if (options.common.json) {
    print_json(json);
  } else {
    print_conversion(json);
  }
  register_folder(options.out);
}

}  // namespace

void add_convert(CLI::App& app) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App* command = app.add_subcommand(
      "convert", "Carry an adapter into another library's files; LoRA without its base");
  command
      ->add_option(
          "adapter", options->adapter,
          "the adapter's folder, whose format is recognised; with --tokenizer a model file")
      ->required();
  command->add_option("out,--out", options->out, "the folder to make")->required();
  CLI::Option* to = command->add_option("--to", options->to, exchange::file_format_names());
  command
      ->add_option("--tokenizer", options->tokenizer,
                   "llama2.c's tokenizer: makes a Hugging Face folder of its model file")
      ->excludes(to);
  command->add_option("--model", options->model,
                      "the base; of LoRA's only config.json is read: its type, heads and layers");
  command->add_option("--model-type", options->model_type,
                      "the base's type, where there is no --model: bert, llama, ...");
  command
      ->add_option("--heads", options->heads,
                   "attention heads, for torchtune and gguf without --model")
      ->check(CLI::Range(1, 4096));
  command->add_option("--kv-heads", options->kv_heads, "heads of keys and values; default: --heads")
      ->check(CLI::Range(1, 4096));
  command->add_option("--name", options->name, "AdapterHub's name of the adapter");
  command->add_flag("--allow-rounding", options->allow_rounding,
                    "where the format has one scale for all, round B instead of refusing");
  command->add_flag("--without-head", options->without_head,
                    "leave trained modules beside the adapter out");
  add_common(*command, options->common);
  command->footer(examples(
      {"inlay convert runs/a/adapter a-for-adapterhub --to adapterhub --model all-minilm-l6-v2",
       "inlay convert runs/b/adapter ia3-for-peft --to peft --model all-minilm-l6-v2",
       "inlay convert llama-lora llama-mlx --to mlx",
       "inlay convert llama-lora llama-tune --to torchtune --heads 32 --kv-heads 8",
       "inlay convert llama-mlx llama-peft --to peft",
       "inlay convert llama-lora llama-gguf --to gguf --model path/to/llama",
       "inlay convert stories260K.bin --tokenizer tok512.bin --out stories260K"}));
  command->callback([options] { run_convert(*options); });
}

}  // namespace inlay::cli
