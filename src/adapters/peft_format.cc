#include "adapters/peft_format.h"

#include <algorithm>

#include "adapters/adapter_record.h"
#include "adapters/head_file.h"
#include "adapters/peft_form.h"
#include "adapters/strict_tensors.h"
#include "base/files.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

constexpr const char* kKeyPrefix = "base_model.model.";
constexpr const char* kSharedPrefix = "base_model.";
constexpr const char* kBareModel = "FEATURE_EXTRACTION";
constexpr const char* kCausalLm = "CAUSAL_LM";
// Whether the base's layers hold (in, out). PEFT sets it right by the kind of each layer.
constexpr const char* kFanInFanOut = "fan_in_fan_out";
constexpr const char* kWeights = "adapter_model.safetensors";

// Hugging Face's head of a PEFT task type; null where the model has none.
const HeadLayout* head_of(const BaseFacts& base, const std::string& task_type) {
  if (task_type == "SEQ_CLS") return &base.sequence_head;
  if (task_type == "TOKEN_CLS") return &base.token_head;
  if (task_type == "QUESTION_ANS") return &base.span_head;
  return nullptr;
}

// The model that PEFT wraps for a task type: bare, with a head, or with the output projection.
PeftModel peft_model(const BaseFacts& base, const std::string& task_type) {
  if (task_type == kCausalLm) return {base, base.prefix, {"lm_head"}};
  const HeadLayout* head = head_of(base, task_type);
  if (head == nullptr) return {base, "", {}};
  PeftModel model{base, base.prefix, {head->output}};
  for (const HeadDense& dense : head->dense) model.head_modules.push_back(dense.name);
  return model;
}

std::string key_of(const PeftForm& form, const PeftModel& model, const Adapter::Entry& entry) {
  const std::string& name = entry.parameter.name();
  if (entry.site != nullptr) return kKeyPrefix + model.prefix + name;
  return form.shared_key != nullptr ? form.shared_key(name) : kSharedPrefix + name;
}
std::string head_key(const PeftForm& form, const Parameter& parameter) {
  return form.head_prefix + parameter.name();
}

// PEFT lists the head's outermost modules, and always these two where the head is a classifier.
Json modules_to_save(const PeftModel& model) {
  Json modules = Json::array();
  if (model.head_modules.front() == "qa_outputs") return {"qa_outputs"};
  for (const std::string& name : model.head_modules) {
    std::string outermost = name.substr(0, name.find('.'));
    if (outermost != "classifier" && outermost != "score") modules.push_back(outermost);
  }
  modules.push_back("classifier");
  modules.push_back("score");
  return modules;
}

// As Python's json.dumps(indent=2, sort_keys=True): no final newline, ASCII only.
std::string python_json(const Json& json) { return json.dump(2, ' ', true); }

// What an adapter that PEFT wrote says of its task: the type, and the number of outputs.
HeadLabel label_of(const std::string& task_type, int64_t outputs) {
  HeadLabel label{.task = "token-classification", .peft_type = task_type};
  if (task_type == kCausalLm) return {"causal-lm", "", task_type, {}};
  if (task_type == "QUESTION_ANS") return {"question-answering", "", task_type, {}};
  if (task_type == "SEQ_CLS" && outputs == 1) return {"regression", "regression", task_type, {}};
  if (task_type == "SEQ_CLS") {
    label.task = "text-classification";
    label.problem_type = "single_label_classification";
  }
  for (int64_t i = 0; i < outputs; ++i) label.classes.push_back(fmt::format("LABEL_{}", i));
  return label;
}

// Sites of a pooler that the head does not read, and that the model with this head may lack, count
// only if the file has them.
SiteSet adapted_sites(const PeftModel& model, const HeadLayout* head,
                      const std::vector<SiteKind>& kinds, const PeftTargets& targets,
                      const StrictTensors& tensors) {
  SiteSet sites = selected_by_peft(model, targets);
  std::erase_if(sites, [&](const Site* site) {
    if (std::find(kinds.begin(), kinds.end(), site->kind) == kinds.end()) return true;
    bool may_lack =
        site->role == SiteRole::kPooler && (head == nullptr || head->input != HeadInput::kPooler);
    return may_lack && !tensors.any_under(kKeyPrefix + model.prefix + site->name + ".");
  });
  return sites;
}

std::string task_type_of(const Json& config, const StrictTensors& tensors, const BaseFacts& base,
                         const std::string& where) {
  auto type = json_get_or<std::string>(config, "task_type", kBareModel, where);
  bool causal = type == kCausalLm;
  bool headed = type == "SEQ_CLS" || type == "TOKEN_CLS" || type == "QUESTION_ANS";
  require(headed || causal || type == kBareModel, ErrorKind::kInput,
          "{}: \"task_type\" is \"{}\"; expected SEQ_CLS, TOKEN_CLS, QUESTION_ANS, {} or {}", where,
          type, kCausalLm, kBareModel);
  require(!causal || base.causal, ErrorKind::kInput,
          "{}: \"task_type\" is {}, and this {} base is no language model", where, type,
          base.model_type);
  bool with_head = tensors.any_under(kKeyPrefix + base.prefix);
  require(type != kBareModel || !with_head, ErrorKind::kInput,
          "{}: the tensors are of a model with a head, but \"task_type\" does not say which; set "
          "it to SEQ_CLS, TOKEN_CLS or QUESTION_ANS",
          where);
  return type;
}

std::unique_ptr<Head> read_head(StrictTensors& tensors, const PeftForm& form,
                                const HeadLayout& layout, double dropout, const BaseFacts& base) {
  int64_t inputs = base.channels_of(layout.input);
  int64_t outputs = tensors.outputs_of(form.head_prefix + layout.output + ".weight", inputs);
  auto head = std::make_unique<Head>(layout, inputs, outputs, dropout, 0);
  for (Parameter& parameter : head->parameters())
    tensors.fill(head_key(form, parameter), parameter);
  return head;
}

const MethodInfo& method_of(const Json& config, const std::string& where) {
  auto type = json_get<std::string>(config, "peft_type", where);
  std::string known;
  for (const MethodInfo* method : all_methods()) {
    if (method->peft == nullptr) continue;
    if (type == method->peft->type) return *method;
    known += (known.empty() ? "" : ", ") + std::string(method->peft->type);
  }
  fail(ErrorKind::kInput, "{}: \"peft_type\" is \"{}\"; expected one of {}", where, type, known);
}

// A method that selects sites by rules of its own must select PEFT's.
void check_sites(const Adapter& adapter, const SiteSet& adapted, const std::string& where) {
  if (adapted.empty()) return;
  SiteSet own(adapter.sites().begin(), adapter.sites().end());
  require(own == adapted, ErrorKind::kInput,
          "{}: \"target_modules\" selects {} modules, where method {} adapts {} others or fewer",
          where, adapted.size(), adapter.info().name, own.size());
}

}  // namespace

void write_peft(const std::filesystem::path& folder, const AdapterBundle& bundle,
                const BaseFacts& base) {
  const Adapter& adapter = *bundle.adapter;
  const PeftForm* form = adapter.info().peft;
  ensure(form != nullptr, "method {} has no PEFT form", adapter.info().name);
  const HeadLayout* layout =
      bundle.head != nullptr ? head_of(base, bundle.label.peft_type) : nullptr;
  if (layout != nullptr && !same_layout(*layout, bundle.head->layout())) layout = nullptr;
  bool causal = bundle.label.peft_type == kCausalLm;
  std::string task_type = layout != nullptr || causal ? bundle.label.peft_type : kBareModel;
  PeftModel model = peft_model(base, task_type);

  std::vector<NamedTensor> tensors;
  for (const Adapter::Entry& entry : adapter.entries()) {
    tensors.push_back({key_of(*form, model, entry), entry.parameter.value()});
  }
  if (layout != nullptr) {
    for (const Parameter& parameter : bundle.head->parameters()) {
      tensors.push_back({head_key(*form, parameter), parameter.value().to(DType::kF32)});
    }
  } else if (bundle.head != nullptr) {
    write_head_file(folder, *bundle.head);
  }
  write_safetensors(folder / kWeights, tensors, {{"format", "pt"}});

  Json config = fields_to_peft(*form, adapter.config(), model,
                               {adapter.sites().begin(), adapter.sites().end()});
  if (config.contains(kFanInFanOut)) {
    config[kFanInFanOut] = std::any_of(adapter.sites().begin(), adapter.sites().end(),
                                       [](const Site* site) { return site->in_by_out; });
  }
  config["base_model_name_or_path"] = folder_name(base.folder);
  config["task_type"] = task_type;
  if (layout != nullptr) config["modules_to_save"] = modules_to_save(model);
  config[kRecordKey] = record_to_json(record_of(bundle, base));
  write_file_atomically(folder / "adapter_config.json", python_json(config));
}

LoadedAdapter read_peft(const std::filesystem::path& folder, const Json& config,
                        const BaseFacts& base) {
  std::string where = (folder / "adapter_config.json").string();
  bool ours = config.contains(kRecordKey);
  AdapterRecord record;
  record.name = folder_name(folder);
  if (ours) {
    record = record_from_config(config, where);
    check_base(record, base, where);
  }
  const MethodInfo& info = method_of(config, where);
  const PeftForm& form = *info.peft;
  Json settings = config;
  bool turned = std::any_of(base.sites.begin(), base.sites.end(),
                            [](const Site* site) { return site->in_by_out; });
  if (turned && settings.contains(kFanInFanOut)) settings[kFanInFanOut] = false;
  check_peft_config(form, settings, where);
  std::filesystem::path weights = folder / kWeights;
  if (!std::filesystem::exists(weights)) weights = folder / "adapter_model.bin";
  require(std::filesystem::exists(weights), ErrorKind::kInput,
          "{}: neither {} nor adapter_model.bin is there", folder.string(), kWeights);
  StrictTensors tensors = StrictTensors::open(weights);
  std::string task_type = task_type_of(config, tensors, base, where);
  const HeadLayout* layout = head_of(base, task_type);
  PeftModel model = peft_model(base, task_type);

  SiteSet adapted;
  if (form.has_targets) {
    adapted = adapted_sites(model, layout, form.kinds, peft_targets(config, where), tensors);
    require(!adapted.empty(), ErrorKind::kInput,
            "{}: \"target_modules\" selects no {} site of this {} base", where,
            site_kind_name(form.kinds.front()), base.model_type);
  }
  // What PEFT has no key for is in our record.
  ConfiguredMethod method{&info, info.make()};
  if (ours) method = parse_method(record.method);
  require(method.info == &info, ErrorKind::kInput,
          "{}: \"peft_type\" is {}, but the record under \"{}\" says method {}", where, form.type,
          kRecordKey, record.method);
  Json fields = fields_from_peft(form, settings, model, adapted, where);
  fields_from_json([&](FieldVisitor& visit) { method.method->fields(visit); }, fields, where);

  LoadedAdapter loaded;
  loaded.adapter = Adapter::create(record.name, std::move(method), base, 0);
  for (Adapter::Entry& entry : loaded.adapter->entries())
    tensors.fill(key_of(form, model, entry), entry.parameter);
  check_sites(*loaded.adapter, adapted, where);
  loaded.head = layout != nullptr ? read_head(tensors, form, *layout, record.head_dropout, base)
                                  : read_head_file(folder, base);
  tensors.finish();
  loaded.label = record.label;
  if (!ours && (loaded.head != nullptr || task_type == kCausalLm))
    loaded.label = label_of(task_type, loaded.head != nullptr ? loaded.head->outputs() : 0);
  return loaded;
}

}  // namespace inlay
