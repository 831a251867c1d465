// What training promises, on pictures that are changed at random: a base whose tensors and running
// statistics stay as they are, bits that depend on neither threads nor stops, runs that repeat.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "adapters/storage.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/random.h"
#include "eval/frozen_prefix.h"
#include "families.h"
#include "image/image.h"
#include "runs/manifest.h"
#include "stop_at.h"
#include "tensor/threads.h"
#include "train/trainer.h"
#include "train/training_run.h"
#include "train/workbench.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 16;  // of what bases read that have no positions
constexpr int kPictures = 40;

const Family& family_named(const std::string& name) {
  for (const Family* family : all_families()) {
    if (family->name == name) return *family;
  }
  fail(ErrorKind::kInternal, "there is no family {}", name);
}

// A folder of its own with the family's tiny model and forty pictures, dark and light ones.
class PictureRuns {
 public:
  explicit PictureRuns(const Family& family)
      : folder_(fs::path(testing::TempDir()) /
                fmt::format("inlay_vision_training_{}_{}", family.name, ::getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(model());
    for (const char* name : {"config.json", "model.safetensors"})
      fs::copy_file(tiny_model_folder(family) / name, model() / name);
    MapSize size = tiny_facts(family).image_size;
    if (size.places() == 0) size = {kSide, kSide};
    Json preprocessor{{"do_resize", true},
                      {"size", {{"height", size.height}, {"width", size.width}}},
                      {"do_rescale", true},
                      {"do_normalize", true},
                      {"image_mean", {0.5, 0.4, 0.3}},
                      {"image_std", {0.5, 0.6, 0.7}}};
    write_file_atomically(model() / "preprocessor_config.json", preprocessor.dump());
    for (int i = 0; i < kPictures; ++i) write_picture(i);
  }
  ~PictureRuns() { fs::remove_all(folder_); }
  PictureRuns(const PictureRuns&) = delete;
  PictureRuns& operator=(const PictureRuns&) = delete;

  fs::path model() const { return folder_ / "model"; }
  fs::path run(const std::string& name) const { return folder_ / name; }
  WorkbenchPaths paths() const { return {model(), {(folder_ / "pictures").string()}}; }

  TrainConfig config(const std::string& method) const {
    TrainConfig config;
    config.method = method;
    config.epochs = 2;
    config.batch_size = 8;
    config.compute = "f32";
    config.checkpoint_steps = 1;
    config.augment = "flip=0.5,crop_scale=0.5";
    return config;
  }

  void train(const std::string& method, const std::string& name,
             RunStart start = RunStart::kNew) const {
    RunObserver silent;
    run_training(config(method), paths(), run(name), start, silent);
  }

  std::string adapter_of(const std::string& name) const {
    LoadedAdapter loaded = load_adapter(run(name) / "adapter", load_model(model())->facts());
    return adapter_hash(loaded.adapter.get(), loaded.head.get());
  }

  bool alike(const std::string& a, const std::string& b) const {
    return diff_manifests(read_manifest(run(a) / "manifest.json"),
                          read_manifest(run(b) / "manifest.json"))
        .empty();
  }

 private:
  void write_picture(int number) const {
    Image image = blank_image(20 + number % 3, 18);
    Stream noise(3, fmt::format("picture/{}", number));
    uint64_t least = number % 2 == 0 ? 0 : 120;
    for (std::size_t i = 0; i < image.rgb.size(); ++i)
      image.rgb[i] = static_cast<uint8_t>(least + noise.below(130, i));
    fs::path folder = folder_ / "pictures" / (number % 2 == 0 ? "dark" : "light");
    fs::create_directories(folder);
    write_file_atomically(folder / fmt::format("{}.png", number), encode_png(image));
  }

  fs::path folder_;
};

// SHA-256 of all tensors of the base as they are in memory, running statistics included.
std::string hash_in_memory(const Model& model) {
  Sha256 hash;
  for (const Site* site : model.sites()) {
    for (const Tensor* tensor : {&site->weight, &site->bias, &site->mean, &site->variance})
      if (tensor->defined()) hash.update(tensor->bytes());
  }
  return hex(hash.finish());
}

Tensor hidden_of(const Model& model, const TokenBatch& batch,
                 const std::vector<ActiveAdapter>& adapters) {
  Context context(DType::kF32);
  context.tape.set_recording(false);
  context.adapters = adapters;
  return model.encode(context, batch).value().clone();
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

bool has_places(const Model& model, const std::string& method) {
  try {
    Adapter::create("asked", parse_method(method), model.facts(), 1);
    return true;
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
    return false;
  }
}

class BaseOfPictures : public testing::TestWithParam<const Family*> {};

TEST_P(BaseOfPictures, StaysAsItIsWhateverIsTrainedOnIt) {
  PictureRuns runs(*GetParam());
  int trained = 0;
  for (const char* method : {"lora[r=2]", "residual", "bn_tuning", "head"}) {
    SCOPED_TRACE(method);
    if (!has_places(*load_model(runs.model()), method)) continue;
    ++trained;
    Workbench bench = open_workbench(runs.config(method), runs.paths());
    const Model& model = *bench.model;
    std::vector<const EncodedExample*> some = bench.pick(bench.splits[0].train);
    TokenBatch batch = make_example_batch(some, {});
    std::string before = hash_in_memory(model);
    Tensor base = hidden_of(model, batch, {});
    Learner learner = bench.make_learner(bench.splits[0]);
    std::string fresh = adapter_hash(learner.adapter.get(), learner.head.get());
    Context context(bench.compute);
    TrainObserver silent;
    Trainer(bench.config, learner, context, {some, bench.pick(bench.splits[0].validation)})
        .run({}, silent);
    EXPECT_NE(adapter_hash(learner.adapter.get(), learner.head.get()), fresh);
    EXPECT_EQ(hash_in_memory(model), before);
    EXPECT_EQ(model.checkpoint().root_hash(), model.facts().root_hash);
    EXPECT_TRUE(same_bits(hidden_of(model, batch, {}), base)) << "without an adapter";
    EXPECT_TRUE(
        same_bits(hidden_of(model, batch, {{.hooks = learner.adapter.get(), .gate = 0}}), base))
        << "with its gate at 0";
    EXPECT_TRUE(same_bits(hidden_of(*load_model(runs.model()), batch, {}), base)) << "loaded anew";
  }
  EXPECT_GE(trained, 2);
}

std::vector<const Family*> picture_families() {
  std::vector<const Family*> families = contract_families();
  std::erase_if(families, [](const Family* family) { return !tiny_facts(*family).images; });
  return families;
}

INSTANTIATE_TEST_SUITE_P(AllFamilies, BaseOfPictures, testing::ValuesIn(picture_families()),
                         [](const testing::TestParamInfo<const Family*>& info) {
                           return info.param->name;
                         });

// Methods whose state is the hardest to keep on such a base: moving averages, batches as a whole.
struct TrainingCase {
  const char* family;
  const char* method;
};

class PictureTraining : public testing::TestWithParam<TrainingCase> {
 protected:
  PictureRuns runs_{family_named(GetParam().family)};
  std::string method_ = GetParam().method;
};

TEST_P(PictureTraining, IsTheSameForOneThreadAndTwoAndRepeatsItself) {
  start_threads(1);
  runs_.train(method_, "one");
  start_threads(2);
  runs_.train(method_, "two");
  EXPECT_EQ(runs_.adapter_of("one"), runs_.adapter_of("two"));
  EXPECT_TRUE(runs_.alike("one", "two"));
  EXPECT_NE(read_file(runs_.run("one") / "report.html").find("As the model sees them"),
            std::string::npos);
  RunObserver silent;
  repeat_training(RunFolder::open(runs_.run("one")), runs_.paths(), runs_.run("again"), silent);
  EXPECT_TRUE(runs_.alike("one", "again"));
}

TEST_P(PictureTraining, GoesOnAfterAStopAsIfNothingHadHappened) {
  runs_.train(method_, "straight");
  for (int64_t step : {3, 4}) {  // within an epoch, and at its end
    std::string name = fmt::format("stopped-{}", step);
    StopAt stop(step);
    EXPECT_THROW(
        run_training(runs_.config(method_), runs_.paths(), runs_.run(name), RunStart::kNew, stop),
        Stopped);
    runs_.train(method_, name, RunStart::kResume);
    EXPECT_EQ(runs_.adapter_of(name), runs_.adapter_of("straight")) << "after step " << step;
    EXPECT_TRUE(runs_.alike(name, "straight"));
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, PictureTraining,
                         testing::Values(TrainingCase{"resnet", "residual"},
                                         TrainingCase{"mobilenet_v2", "bn_tuning"},
                                         TrainingCase{"vit", "lora[r=2,dropout=0.1]"}),
                         [](const testing::TestParamInfo<TrainingCase>& info) {
                           return std::string(info.param.family);
                         });

// With a head or a last layer alone, what comes before is kept of every picture, and the trained
// numbers are those without that.
TEST(VisionTraining, FrozenLayersThatAreComputedOnceChangeNoBit) {
  for (const char* family : {"resnet", "vit"}) {
    PictureRuns runs(family_named(family));
    for (const char* method : {"head", "last_n[n=1]"}) {
      SCOPED_TRACE(fmt::format("{} {}", family, method));
      TrainConfig config = runs.config(method);
      config.augment = "";
      Workbench bench = open_workbench(config, runs.paths());
      auto train = bench.pick(bench.splits[0].train);
      auto validation = bench.pick(bench.splits[0].validation);
      auto trained = [&](bool reuse) {
        Learner learner = bench.make_learner(bench.splits[0]);
        if (reuse)
          learner.prefix = frozen_prefix(learner, train, validation, {uint64_t{1} << 30, ""});
        Context context(bench.compute);
        Trainer trainer(bench.config, learner, context, {train, validation});
        TrainObserver silent;
        trainer.run({}, silent);
        for (const EncodedExample* example : train)
          EXPECT_EQ(reuse, learner.prefix != nullptr && learner.prefix->knows(*example));
        return adapter_hash(learner.adapter.get(), learner.head.get());
      };
      EXPECT_EQ(trained(true), trained(false));
    }
  }
}

}  // namespace
}  // namespace inlay
