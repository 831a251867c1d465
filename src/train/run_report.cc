#include "train/run_report.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "adapters/adapter_record.h"
#include "base/units.h"
#include "eval/posed_examples.h"
#include "image/resize.h"
#include "runs/manifest.h"
#include "runs/metrics_log.h"
#include "text/base64.h"
#include "train/moved_weights.h"

namespace inlay {
namespace {

Json quantity(const std::string& label, const Json& value, const std::string& format) {
  return {{"label", label}, {"value", value}, {"format", format}};
}

std::string display_name(const std::string& metric) {
  std::string text;
  std::size_t start = 0;
  while (start < metric.size()) {
    std::size_t end = std::min(metric.find('_', start), metric.size());
    std::string word = metric.substr(start, end - start);
    bool initials = word == "f1" || word == "mcc" || word == "roc" || word == "auc" ||
                    word == "mse" || word == "mae";
    if (initials) std::transform(word.begin(), word.end(), word.begin(), ::toupper);
    if (text.empty()) word[0] = static_cast<char>(std::toupper(word[0]));
    text += (text.empty() ? "" : " ") + word;
    start = end + 1;
  }
  return text;
}

// "mse" of "negative_mse": choosing wants larger to be better, people want the figure itself.
std::string positive_name(const std::string& metric) {
  constexpr std::string_view kNegative = "negative_";
  return metric.starts_with(kNegative) ? metric.substr(kNegative.size()) : metric;
}

Json metric_quantities(const Json& metrics, const TaskInfo& task, const std::string& chosen) {
  Json list = Json::array();
  auto add = [&](const std::string& name) {
    Json one = quantity(display_name(name), metrics.at(name),
                        name.ends_with("accuracy") ? "percent" : "number");
    if (metrics.contains(name + "_interval")) {
      one["low"] = metrics.at(name + "_interval").at(0);
      one["high"] = metrics.at(name + "_interval").at(1);
    }
    list.push_back(one);
  };
  // The one that was chosen by, then those that people ask for first, then the rest.
  std::vector<std::string> order{positive_name(chosen)};
  order.insert(order.end(), task.headline.begin(), task.headline.end());
  for (const auto& [name, value] : metrics.items()) order.push_back(name);
  std::set<std::string> seen;
  for (const std::string& name : order) {
    bool negated = positive_name(name) != name && metrics.contains(positive_name(name));
    bool twice = negated || (name == "micro_f1" && metrics.contains("accuracy") &&
                             metrics.at(name) == metrics.at("accuracy"));
    if (metrics.contains(name) && !name.ends_with("_interval") && !twice &&
        seen.insert(name).second)
      add(name);
  }
  return list;
}

Json curves(const RunFigures& figures, const RunFolder& run) {
  const TrainConfig& config = figures.bench->config;
  Json train = Json::array(), validation = Json::array(), best;
  for (const Json& record : read_metrics(run.metrics())) {
    if (record.value("fold", 0) != 0) continue;  // the first fold stands for all
    if (record.contains("loss"))
      train.push_back({{"step", record.at("step")}, {"loss", record.at("loss")}});
    if (!record.contains("validation") || !record.at("validation").is_object()) continue;
    validation.push_back({{"step", record.at("step")},
                          {"epoch", record.at("epoch")},
                          {"value", record.at("validation").at(config.metric)}});
    for (const char* loss : {"log_loss", "mse", "loss"}) {
      if (record.at("validation").contains(loss))
        validation.back()["loss"] = record.at("validation").at(loss);
    }
    if (record.value("best", false)) best = record.at("step");
  }
  Json document{
      {"train", train}, {"validation", validation}, {"metric", display_name(config.metric)}};
  if (!best.is_null()) document["best_step"] = best;
  if (figures.bench->folded())
    document["note"] = "Of the first fold; the others are in metrics.jsonl.";
  return document;
}

std::string text_of(const Example& example) {
  std::string text = example.text;
  for (const std::string& word : example.words) text += (text.empty() ? "" : " ") + word;
  return example.text_pair.empty() ? text : text + " | " + example.text_pair;
}

constexpr int64_t kThumbnailSide = 112, kDetectionSide = 240;  // pixels
constexpr std::size_t kMostPictures = 20, kSamples = 8;

// The picture as an address that holds it, no larger than it is shown.
std::string thumbnail(const Image& image, int64_t most = kThumbnailSide) {
  int64_t longest = std::max(image.width, image.height);
  auto side = [&](int64_t own) { return std::max<int64_t>(1, own * most / longest); };
  bool small = longest <= most;
  Image shown =
      small ? image : resize(image, side(image.width), side(image.height), Resample::kBilinear);
  return "data:image/png;base64," + text::encode_base64(encode_png(shown));
}

// The thumbnail of the example that this output is of.
std::string thumbnail_of(const RunFigures& figures, const Json& output, int64_t most) {
  const EncodedExample& example = *figures.outputs->at(output.get<std::size_t>()).example;
  return thumbnail(figures.bench->data.images->load(example.index), most);
}

void add_pictures(Json& details, const RunFigures& figures) {
  if (details.contains("pictures")) {
    for (Json& picture : details["pictures"]) {
      picture["picture"] = thumbnail_of(figures, picture.at("output"), kDetectionSide);
      picture.erase("output");
    }
  }
  if (details.contains("pairs")) {
    for (Json& pair : details["pairs"]) {
      Json both = Json::array();
      for (const Json& output : pair.at("outputs"))
        both.push_back(thumbnail_of(figures, output, kThumbnailSide));
      pair["pictures"] = std::move(both);
      pair.erase("outputs");
    }
  }
}

void add_details(Json& document, const RunFigures& figures) {
  Json details = figures.task->details(*figures.outputs);
  add_pictures(details, figures);
  for (auto& [key, value] : details.items()) document[key] = value;
  std::vector<std::size_t> indices;
  for (Json& mistake : document["mistakes"]) {
    const EncodedExample* example =
        figures.outputs->at(mistake.at("output").get<std::size_t>()).example;
    indices.push_back(example->index);
    mistake["text"] = text_of(*example->source);
    mistake["row"] = figures.bench->place(example->index);
    mistake.erase("output");
  }
  const std::shared_ptr<const ImageStore>& images = figures.bench->data.images;
  std::size_t pictures =
      images != nullptr ? std::min(kMostPictures, document["mistakes"].size()) : 0;
  for (std::size_t i = 0; i < pictures; ++i) {
    Json& mistake = document["mistakes"][i];
    mistake["picture"] = thumbnail(images->load(indices[i]));
  }
  if (document["mistakes"].empty()) document.erase("mistakes");
}

// What a base reads as a picture again: normalise() taken back.
Image picture_of(const PixelSource& source, const Preprocessor& preprocessor) {
  MapSize size = source.size();
  std::vector<float> pixels(static_cast<std::size_t>(size.places() * 3));
  source.read(pixels.data());
  Image image = blank_image(size.width, size.height);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    std::size_t channel = i % 3;
    double value = (static_cast<double>(pixels[i]) * preprocessor.deviation[channel] +
                    preprocessor.mean[channel]) /
                   preprocessor.rescale;
    image.rgb[i] = static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
  }
  return image;
}

// Pictures of the first step, as it read them.
Json samples(const RunFigures& figures) {
  const Workbench& bench = *figures.bench;
  auto batches = batches_of_epoch(bench.pick(bench.splits[0].train), batch_plan(bench.config), 0);
  if (batches.empty()) return Json::array();
  PosedExamples posed(*figures.task, batches[0], {.kind = Occasion::Kind::kTraining});
  Json shown = Json::array();
  for (const EncodedExample* example : posed.all()) {
    if (shown.size() == kSamples) break;
    std::int32_t id = example->source->class_id;
    bool named = id >= 0 && static_cast<std::size_t>(id) < bench.data.classes.size();
    Image image = picture_of(*example->tokens.pixels, *bench.preprocessor);
    shown.push_back({{"picture", thumbnail(image)},
                     {"caption", named ? bench.data.classes[static_cast<std::size_t>(id)]
                                       : example->source->text}});
  }
  return shown;
}

void add_folds(Json& document, const RunFigures& figures) {
  const Json& metrics = figures.summary->at("metrics");
  Json columns = Json::array(), rows = Json::array(), pooled = Json::array();
  Json low = Json::array(), high = Json::array();
  std::vector<std::string> names;
  for (const auto& [name, value] : metrics.items()) {
    if (!value.is_number()) continue;
    names.push_back(name);
    columns.push_back(display_name(name));
    pooled.push_back(value);
    bool sure = metrics.contains(name + "_interval");
    low.push_back(sure ? metrics.at(name + "_interval").at(0) : Json());
    high.push_back(sure ? metrics.at(name + "_interval").at(1) : Json());
  }
  int number = 0;
  for (const Json& fold : figures.summary->at("folds")) {
    Json values = Json::array();
    for (const std::string& name : names) values.push_back(fold.at(name));
    rows.push_back({{"name", fmt::format("Fold {}", ++number)}, {"values", values}});
  }
  document["folds"] = {{"columns", columns},
                       {"rows", rows},
                       {"pooled", {{"values", pooled}, {"low", low}, {"high", high}}}};
}

int64_t base_parameters(const Workbench& bench) {
  int64_t count = 0;
  for (const std::string& name : bench.model->checkpoint().names()) {
    const StoredTensor stored = bench.model->checkpoint().stored(name);
    int64_t elements = 1;
    for (int64_t size : stored.sizes) elements *= size;
    count += elements;
  }
  return count;
}

// "r 8, alpha 16, target_modules query value": what is not empty.
std::string settings_text(const Json& config) {
  std::string text;
  for (const auto& [name, value] : config.items()) {
    bool blank = value.is_string() ? value.get_ref<const std::string&>().empty() : value.empty();
    if (blank) continue;
    std::string written = value.is_string() ? value.get<std::string>() : value.dump();
    if (value.is_array()) {
      written.clear();
      for (const Json& one : value)
        written +=
            (written.empty() ? "" : " ") + (one.is_string() ? one.get<std::string>() : one.dump());
    }
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, written);
  }
  return text;
}

// Site kinds by the last parts of their names, per layer.
Json trained_parts(const RunFigures& figures) {
  const Workbench& bench = *figures.bench;
  Learner learner = bench.make_learner(bench.splits[0]);
  std::vector<std::string> rows;
  auto layers = static_cast<std::size_t>(bench.model->facts().layers);
  std::map<std::string, std::vector<int64_t>> grid;
  int64_t outside = 0;
  for (const Adapter::Entry& entry : learner.adapter->entries()) {
    if (!entry.trained) continue;
    int64_t count = entry.parameter.value().count();
    if (entry.site == nullptr || entry.site->layer < 0) {
      outside += count;
      continue;
    }
    std::string kind = place_in_layer(*entry.site);
    if (!grid.contains(kind)) rows.push_back(kind);
    auto& cells = grid[kind];
    cells.resize(layers);
    cells[static_cast<std::size_t>(entry.site->layer)] += count;
  }
  int64_t head = learner.head != nullptr ? learner.head->parameter_count() : 0;
  Json other = Json::array();
  if (head > 0) other.push_back({{"name", "Head"}, {"parameters", head}});
  if (outside > 0) other.push_back({{"name", "Outside the layers"}, {"parameters", outside}});
  Json trained{{"method", bench.config.method},
               {"settings", settings_text(learner.adapter->config())},
               {"parameters", learner.adapter->parameter_count() + head},
               {"base_parameters", base_parameters(bench)},
               {"other", other}};
  if (rows.empty()) return trained;
  Json cells = Json::array(), layer_names = Json::array();
  for (const std::string& row : rows) cells.push_back(grid[row]);
  for (std::size_t i = 0; i < layers; ++i) layer_names.push_back(std::to_string(i));
  trained["sites"] = rows;
  trained["layers"] = layer_names;
  trained["grid"] = cells;
  return trained;
}

// The name it was given by, or its first file's.
std::string data_name(const Workbench& bench) {
  if (bench.config.data == "-") return "standard input";
  return folder_name(bench.config.data.empty() ? bench.data.files.at(0).path : bench.config.data);
}

}  // namespace

Json report_document(const RunFigures& figures, const RunFolder& run) {
  const Workbench& bench = *figures.bench;
  const Json& summary = *figures.summary;
  std::string base = bench.model->facts().folder.filename().string();
  Json document{{"title", fmt::format("{} on {}", bench.config.method, base)}};
  document["lead"] = fmt::format(
      "{} was adapted to {} with {} on {} ({} examples{}); the figures are over {} examples that "
      "were not trained on.",
      base, bench.config.task, bench.config.method, data_name(bench),
      format_count(static_cast<int64_t>(bench.data.examples.size())),
      bench.folded() ? fmt::format(", {} folds", bench.config.folds) : "",
      format_count(static_cast<int64_t>(figures.outputs->size())));
  document["test_rows"] = figures.outputs->size();
  document["curves"] = curves(figures, run);
  document["trained"] = trained_parts(figures);
  if (bench.preprocessor.has_value()) document["samples"] = samples(figures);
  Json moved = moved_weights(bench.model->facts(),
                             bench.folded() ? run.path() / "fold-1" / "adapter" : run.adapter());
  if (!moved.is_null()) document["moved"] = moved;
  Json speed = Json::array({quantity("Training time", summary.at("train_seconds"), "seconds"),
                            quantity("Whole run", summary.at("seconds"), "seconds"),
                            quantity("Tokens per second", summary.at("tokens_per_second"), "count"),
                            quantity("Share of the measured matrix-product peak",
                                     summary.at("share_of_peak"), "percent"),
                            quantity("Peak memory", summary.at("peak_rss_bytes"), "bytes"),
                            quantity("Examples cut to the longest input", bench.truncated, "count"),
                            quantity("Test texts that were also trained on",
                                     summary.at("duplicates").at("count"), "count")});
  document["speed"] = speed;
  document["tiles"] = Json::array({speed[0], speed[2], speed[3], speed[4]});
  document["manifest"] = read_manifest(run.manifest());
  if (figures.outputs->empty()) return document;
  document["metrics"] = metric_quantities(summary.at("metrics"), *bench.task, bench.config.metric);
  add_details(document, figures);
  if (bench.folded()) add_folds(document, figures);
  return document;
}

}  // namespace inlay
