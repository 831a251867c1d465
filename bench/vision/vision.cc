// A training step of LoRA on bases that read images, of real shapes, with weights that nobody
// trained: images a second, memory at its peak, what of it is activations, gradients and scratch,
// share of the matrix products' limit; and how many pictures a second are decoded. Prints one JSON
// line.
#include <turbojpeg.h>

#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include "../bench_program.h"
#include "../training_step.h"
#include "base/error.h"
#include "base/process.h"
#include "base/random.h"
#include "eval/learner.h"
#include "image/preprocessor.h"
#include "models/new_weights.h"
#include "tensor/onednn/peak.h"
#include "tensor/threads.h"

namespace inlay {
namespace {

constexpr int64_t kSide = 224, kClasses = 10;

struct Network {
  const char* name;
  const char* config;  // as Hugging Face's file of the model has it
  const char* method;
};

// MobileNetV2's initializer_range is its own: with 0.02, values would be as good as nothing after
// layers that have no residual connection.
constexpr std::array<Network, 3> kNetworks = {{
    {"resnet50",
     R"({"model_type": "resnet", "architectures": ["ResNetForImageClassification"],
  "embedding_size": 64, "hidden_sizes": [256, 512, 1024, 2048], "depths": [3, 4, 6, 3],
  "layer_type": "bottleneck", "hidden_act": "relu", "downsample_in_first_stage": false})",
     "lora[r=8,alpha=16,target_modules=all-linear]"},
    {"mobilenet_v2",
     R"({"model_type": "mobilenet_v2", "architectures": ["MobileNetV2ForImageClassification"],
  "depth_multiplier": 1.0, "depth_divisible_by": 8, "min_depth": 8, "expand_ratio": 6,
  "output_stride": 32, "first_layer_is_expansion": true, "finegrained_output": true,
  "hidden_act": "relu6", "tf_padding": true, "layer_norm_eps": 0.001, "initializer_range": 0.1})",
     "lora[r=8,alpha=16,target_modules=all-linear]"},
    {"vit_b16",
     R"({"model_type": "vit", "architectures": ["ViTForImageClassification"],
  "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
  "intermediate_size": 3072, "image_size": 224, "patch_size": 16, "qkv_bias": true,
  "hidden_act": "gelu", "layer_norm_eps": 1e-12})",
     "lora[r=8,alpha=16,target_modules=query+value]"},
}};

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  names.reserve(kNetworks.size());
  for (const Network& network : kNetworks) names.emplace_back(network.name);
  return names;
}

const Network& network_named(const std::string& name) {
  for (const Network& network : kNetworks) {
    if (name == network.name) return network;
  }
  fail(ErrorKind::kInternal, "there is no shape {}", name);
}

struct Options : BenchOptions {
  std::string model, shape = "resnet50", method, format = "jpeg";
  int64_t images = 16, decode = 0;
  int steps = 5;
  bool make = false;
};

// An image that is noise, about as large as normalised pixels are.
class Noise : public PixelSource {
 public:
  explicit Noise(int64_t number) : stream_(1, fmt::format("pixels/{}", number)) {}

  MapSize size() const override { return {kSide, kSide}; }
  void read(float* pixels) const override {
    for (int64_t i = 0; i < kSide * kSide * 3; ++i)
      pixels[i] = 4 * stream_.uniform(static_cast<uint64_t>(i)) - 2;
  }

 private:
  Stream stream_;
};

// A file in memory, read as ImageNet's pictures are for ResNet.
class EncodedPicture : public PixelSource {
 public:
  explicit EncodedPicture(std::string bytes) : bytes_(std::move(bytes)) {}

  MapSize size() const override { return {kSide, kSide}; }
  void read(float* pixels) const override {
    normalise(fitted(decode_image(bytes_, "picture"), preprocessor_), preprocessor_, pixels);
  }

 private:
  std::string bytes_;
  Preprocessor preprocessor_{.shortest_edge = 256,
                             .crops = true,
                             .crop_height = kSide,
                             .crop_width = kSide,
                             .mean = {0.485f, 0.456f, 0.406f},
                             .deviation = {0.229f, 0.224f, 0.225f}};
};

void make(const Options& options) {
  const Network& network = network_named(options.shape);
  write_new_model(options.model, ModelConfig::parse(network.config, network.name),
                  options.compute(), 1);
}

Learner make_learner(const Options& options) {
  std::vector<std::string> classes;
  classes.reserve(kClasses);
  for (int64_t c = 0; c < kClasses; ++c) classes.push_back(std::to_string(c));
  Learner learner;
  learner.model = load_model(options.model);
  const BaseFacts& facts = learner.model->facts();
  set_task(learner, find_task("image-classification"), {.classes = std::move(classes)});
  learner.head = std::make_unique<Head>(resolve_head(facts, learner.task->head_kind(), "auto"),
                                        facts.hidden, learner.task->outputs(), 0.0, 1);
  learner.adapter = Adapter::create("bench", parse_method(options.method), facts, 1);
  return learner;
}

TokenBatch make_batch(const Options& options, const Learner& learner) {
  std::vector<TokenSequence> images(static_cast<std::size_t>(options.images));
  std::vector<const TokenSequence*> pointers;
  pointers.reserve(images.size());
  for (TokenSequence& image : images) {
    image.pixels = std::make_shared<Noise>(static_cast<int64_t>(pointers.size()));
    pointers.push_back(&image);
  }
  return make_token_batch(pointers, {.chunk = learner.gradient_chunk()});
}

// Seconds of each step.
std::vector<double> train(const Options& options, const Learner& learner, Context& context) {
  TokenBatch batch = make_batch(options, learner);
  BatchTargets targets;
  targets.classes.reserve(static_cast<std::size_t>(options.images));
  for (int64_t i = 0; i < options.images; ++i)
    targets.classes.push_back(static_cast<int32_t>(i % kClasses));
  Optimizer optimizer(OptimizerOptions{}, {{learner.parameters(), 1e-4}});
  std::vector<double> seconds;
  for (int step = 0; step <= options.steps; ++step) {
    double begin = now();
    context.useful_flops = 0;
    learn_from(context,
               learner.task->loss(context, learner_logits(context, learner, batch), targets,
                                  static_cast<double>(options.images)),
               optimizer);
    if (step > 0) seconds.push_back(now() - begin);  // the first packs weights
  }
  return seconds;
}

void run(const Options& options) {
  start_threads(options.threads);
  Learner learner = make_learner(options);
  double peak = onednn::measure_peak(options.compute());
  Context context(options.compute());
  activate(context, learner);
  double middle = median(train(options, learner, context));
  Json row{{"contender", "inlay"},
           {"shape", options.shape},
           {"dtype", options.dtype},
           {"method", options.method},
           {"images", options.images},
           {"parameters", learner.adapter->parameter_count() + learner.head->parameter_count()},
           {"images_per_second", static_cast<double>(options.images) / middle},
           {"ms_per_step", 1e3 * middle},
           {"share_of_peak", context.useful_flops / middle / peak},
           {"activation_bytes", context.arena.peak_bytes()},
           {"peak_rss_bytes", peak_rss_bytes()}};
  fmt::print("{}\n", row.dump());
}

// Smooth shades under grain, of the size that most of ImageNet's photographs have.
Image synthetic_picture() {
  Image image = blank_image(500, 375);
  Stream grain(1, "grain");
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    auto pixel = static_cast<int64_t>(i / 3);
    int64_t column = pixel % image.width, line = pixel / image.width;
    double x = static_cast<double>(column) / 37, y = static_cast<double>(line) / 23;
    double shade = 128 + 80 * std::sin(x + static_cast<double>(i % 3)) * std::cos(y);
    image.rgb[i] = static_cast<uint8_t>(shade + 24 * static_cast<double>(grain.uniform(i)));
  }
  return image;
}

// With half as many chroma samples in each direction, as cameras write them.
std::string jpeg_of(const Image& image) {
  constexpr int kQuality = 90;
  struct Destroy {
    void operator()(void* encoder) const { tjDestroy(encoder); }
  };
  std::unique_ptr<void, Destroy> encoder(tjInitCompress());
  ensure(encoder != nullptr, "libjpeg-turbo did not start");
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  int failed =
      tjCompress2(encoder.get(), image.rgb.data(), static_cast<int>(image.width), 0,
                  static_cast<int>(image.height), TJPF_RGB, &bytes, &size, TJSAMP_420, kQuality, 0);
  ensure(failed == 0, "libjpeg-turbo: {}", tjGetErrorStr2(encoder.get()));
  std::string jpeg(reinterpret_cast<const char*>(bytes), size);
  tjFree(bytes);
  return jpeg;
}

// Batches are made as those of training are: pictures decoded, fitted and normalised in parallel.
void decode(const Options& options) {
  start_threads(options.threads);
  Image picture = synthetic_picture();
  std::string bytes = options.format == "png" ? encode_png(picture) : jpeg_of(picture);
  std::size_t size = bytes.size();
  TokenSequence sequence{.pixels = std::make_shared<EncodedPicture>(std::move(bytes))};
  std::vector<const TokenSequence*> batch(static_cast<std::size_t>(options.decode), &sequence);
  std::vector<double> seconds;
  for (int pass = 0; pass <= options.steps; ++pass) {
    double begin = now();
    make_token_batch(batch, {});
    if (pass > 0) seconds.push_back(now() - begin);
  }
  Json row{{"contender", "inlay"},
           {"format", options.format},
           {"width", picture.width},
           {"height", picture.height},
           {"bytes", size},
           {"images_per_second", static_cast<double>(options.decode) / median(seconds)}};
  fmt::print("{}\n", row.dump());
}

void do_what_is_asked(Options options) {
  if (options.method.empty()) options.method = network_named(options.shape).method;
  if (options.decode > 0) return decode(options);
  require(!options.model.empty(), ErrorKind::kUsage,
          "no model was given; use --model with a folder that --make has written, or --decode");
  options.make ? make(options) : run(options);
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  CLI::App app("The speed and memory of training LoRA on bases that read images");
  inlay::Options options;
  app.add_option("--model", options.model, "a folder that --make has written");
  app.add_flag("--make", options.make, "writes the folder, with weights of --dtype, and no more");
  app.add_option("--shape", options.shape)->check(CLI::IsMember(inlay::shape_names()));
  options.add_to(app);
  app.add_option("--method", options.method,
                 "empty: LoRA of rank 8 on all convolutions without groups, or on query and value");
  app.add_option("--images", options.images, "of a step")->check(CLI::Range(1, 4096));
  app.add_option("--steps", options.steps)->check(CLI::Range(1, 1000));
  app.add_option("--decode", options.decode, "no training: decodes so many pictures at a time")
      ->check(CLI::Range(1, 4096));
  app.add_option("--format", options.format, "of what --decode decodes")
      ->check(CLI::IsMember({"jpeg", "png"}));
  return inlay::run_bench(app, argc, argv, [&] { inlay::do_what_is_asked(options); });
}
