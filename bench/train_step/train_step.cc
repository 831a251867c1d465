// What one LoRA training step costs in Inlay: the contender `inlay` of this benchmark. Random
// weights, frozen base, AdamW on the adapter and the head; prints one JSON line.
//
//   bench_train_step --model minilm-l6 --targets qv --dtype bf16 --threads 2 --seconds 5 [--lengths
//   FILE]
//
// Without --lengths a step has 8 rows of 128 tokens. Each line of FILE is a batch: the token counts
// of its sentences.
#include <elf.h>
#include <fmt/core.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <new>

#include "../sentence_lengths.h"
#include "base/process.h"
#include "eval/learner.h"
#include "formats/safetensors.h"
#include "nn/initializers.h"
#include "tensor/onednn/peak.h"
#include "tensor/threads.h"
#include "train/optimizer.h"

namespace {

struct HeapAllocations {
  int64_t own = 0;
  int64_t onednn = 0;  // inside oneDNN's calls, which hold none of them when they return
};
HeapAllocations heap_allocations;

// The code of libdnnl in this process.
std::pair<uintptr_t, uintptr_t> onednn_range() {
  std::pair<uintptr_t, uintptr_t> range{0, 0};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        if (std::string_view(info->dlpi_name).find("libdnnl") == std::string_view::npos) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& part = info->dlpi_phdr[i];
          if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
          uintptr_t begin = info->dlpi_addr + part.p_vaddr;
          *static_cast<std::pair<uintptr_t, uintptr_t>*>(found) = {begin, begin + part.p_memsz};
        }
        return 1;
      },
      &range);
  return range;
}

}  // namespace

// Counts what a step asks of the heap besides its arena.
[[gnu::noinline]] void* operator new(std::size_t size) {
  static const auto [begin, end] = onednn_range();
  auto caller = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  ++(caller >= begin && caller < end ? heap_allocations.onednn : heap_allocations.own);
  if (void* pointer = std::malloc(size)) return pointer;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* pointer) noexcept { std::free(pointer); }
[[gnu::noinline]] void operator delete(void* pointer, std::size_t) noexcept { std::free(pointer); }

namespace inlay {
namespace {

namespace fs = std::filesystem;

struct Sizes {
  int64_t hidden, layers, heads, intermediate;
};

Sizes sizes_of(const std::string& model) {
  return model == "bert-base" ? Sizes{768, 12, 12, 3072} : Sizes{384, 6, 12, 1536};
}

constexpr int64_t kVocabulary = 30522, kPositions = 512;

std::vector<NamedTensor> random_weights(const Sizes& s) {
  std::vector<NamedTensor> tensors;
  auto add = [&](const std::string& name, const Shape& shape) {
    tensors.push_back({name, normal_init(shape, 0.02f, Stream(1, name))});
  };
  auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  auto norm = [&](const std::string& name) {
    add(name + ".weight", {s.hidden});
    add(name + ".bias", {s.hidden});
  };
  add("embeddings.word_embeddings.weight", {kVocabulary, s.hidden});
  add("embeddings.position_embeddings.weight", {kPositions, s.hidden});
  add("embeddings.token_type_embeddings.weight", {2, s.hidden});
  norm("embeddings.LayerNorm");
  for (int64_t i = 0; i < s.layers; ++i) {
    std::string at = fmt::format("encoder.layer.{}.", i);
    for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value",
                             "attention.output.dense"}) {
      linear(at + name, s.hidden, s.hidden);
    }
    linear(at + "intermediate.dense", s.intermediate, s.hidden);
    linear(at + "output.dense", s.hidden, s.intermediate);
    norm(at + "attention.output.LayerNorm");
    norm(at + "output.LayerNorm");
  }
  return tensors;
}

// The model folder is written by a child process, so that this one's peak memory is the step's own.
fs::path model_folder(const std::string& model) {
  fs::path folder = fs::temp_directory_path() / fmt::format("inlay-bench-{}-{}", model, ::getpid());
  pid_t child = ::fork();
  if (child == 0) {
    Sizes s = sizes_of(model);
    write_safetensors(folder / "model.safetensors", random_weights(s));
    Json config{{"model_type", "bert"},
                {"vocab_size", kVocabulary},
                {"hidden_size", s.hidden},
                {"num_hidden_layers", s.layers},
                {"num_attention_heads", s.heads},
                {"intermediate_size", s.intermediate},
                {"max_position_embeddings", kPositions}};
    write_file_atomically(folder / "config.json", config.dump());
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ensure(status == 0, "the model could not be written");
  return folder;
}

struct Options {
  std::string model = "minilm-l6", targets = "qv", dtype = "bf16", lengths;
  int threads = 2;
  double seconds = 5;
};

// Token counts per batch.
std::vector<std::vector<int64_t>> batches(const Options& options) {
  if (options.lengths.empty()) return {std::vector<int64_t>(8, 128)};
  return read_sentence_lengths(options.lengths);
}

class Bench {
 public:
  explicit Bench(const Options& options)
      : context_(options.dtype == "bf16" ? DType::kBF16 : DType::kF32) {
    fs::path folder = model_folder(options.model);
    learner_.model = load_model(folder);
    fs::remove_all(folder);  // the mapping stays
    std::string method = options.targets == "qv" ? "lora[r=8,alpha=16,target_modules=query+value]"
                                                 : "lora[r=8,alpha=16]";
    learner_.adapter = Adapter::create("bench", parse_method(method), learner_.model->facts(), 1);
    learner_.task = find_task("text-classification").make({"no", "yes"}, 0, {});
    HeadLayout layout =
        resolve_head(learner_.model->facts(), HeadKind::kSequenceClassification, "first");
    learner_.head = std::make_unique<Head>(layout, learner_.model->facts().hidden, 2, 0.0, 1);
    optimizer_ = std::make_unique<Optimizer>(
        OptimizerOptions{}, std::vector<OptimizerGroup>{{learner_.parameters(), 1e-3}});
    activate(context_, learner_);
    make_examples(options);
  }

  // One effective batch, as the trainer runs it; returns its tokens.
  int64_t step(std::size_t number) {
    const TokenBatch& batch = batches_[number % batches_.size()];
    const BatchTargets& targets = targets_[number % batches_.size()];
    context_.step = static_cast<uint32_t>(number);
    Variable losses = learner_.task->loss(context_, learner_logits(context_, learner_, batch),
                                          targets, static_cast<double>(targets.classes.size()));
    Tensor seed = Tensor::empty(losses.shape(), losses.dtype(), &context_.arena);
    std::fill_n(seed.mutable_data<float>(), seed.count(), 1.0f);
    context_.tape.backward(losses, std::move(seed));
    losses = Variable();
    optimizer_->step(1.0, 1.0);
    return batch.tokens.rows();
  }

  std::size_t batch_count() const { return batches_.size(); }
  Context& context() { return context_; }

 private:
  void make_examples(const Options& options) {
    Stream stream(1, "ids");
    uint64_t drawn = 0;
    for (const std::vector<int64_t>& counts : batches(options)) {
      std::vector<TokenSequence> sequences(counts.size());
      std::vector<const TokenSequence*> pointers;
      BatchTargets targets;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        for (int64_t t = 0; t < counts[i]; ++t) {
          sequences[i].ids.push_back(static_cast<int32_t>(stream.below(kVocabulary, drawn++)));
        }
        pointers.push_back(&sequences[i]);
        targets.classes.push_back(static_cast<int32_t>(i % 2));
      }
      batches_.push_back(make_token_batch(pointers, {}));
      targets_.push_back(std::move(targets));
    }
  }

  Context context_;
  Learner learner_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<TokenBatch> batches_;
  std::vector<BatchTargets> targets_;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

void run(const Options& options) {
  start_threads(options.threads);
  Bench bench(options);
  Context& context = bench.context();
  std::size_t warm_up = std::max<std::size_t>(2, bench.batch_count());  // every shape was seen
  std::size_t number = 0;
  for (; number < warm_up; ++number) bench.step(number);

  std::vector<double> seconds;
  seconds.reserve(1 << 16);
  int64_t primitives = context.runtime.primitives_created();
  HeapAllocations before = heap_allocations;
  std::size_t touched = context.arena.touched_bytes(), first = number;
  context.useful_flops = 0;
  double begin = now(), total = 0;
  int64_t tokens = 0;
  // Whole passes over the batches, so that every run measures the same work.
  while (now() - begin < options.seconds || (number - first) % bench.batch_count() != 0) {
    double start = now();
    tokens += bench.step(number++);
    seconds.push_back(now() - start);
    total += seconds.back();
  }
  HeapAllocations after = heap_allocations;
  auto steps = static_cast<double>(number - first);
  double middle = median(seconds);
  // Equal steps: the median; mixed ones: the sum of a pass.
  double per_second = bench.batch_count() == 1 ? static_cast<double>(tokens) / steps / middle
                                               : static_cast<double>(tokens) / total;
  double flops = context.useful_flops / static_cast<double>(tokens) * per_second;
  uint64_t rss = peak_rss_bytes();
  Json line{{"contender", "inlay"},
            {"model", options.model},
            {"targets", options.targets},
            {"dtype", options.dtype},
            {"tokens_per_second", per_second},
            {"ms_per_step", 1e3 * middle},
            {"peak_rss_bytes", rss},
            {"share_of_peak", flops / onednn::measure_peak(context.compute)},
            {"primitives_created_per_step",
             static_cast<double>(context.runtime.primitives_created() - primitives) / steps},
            {"heap_allocations_per_step", static_cast<double>(after.own - before.own) / steps},
            {"onednn_heap_allocations_per_step",
             static_cast<double>(after.onednn - before.onednn) / steps},
            {"arena_growth_bytes", context.arena.touched_bytes() - touched},
            {"arena_peak_bytes", context.arena.peak_bytes()}};
  fmt::print("{}\n", line.dump());
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  inlay::Options options;
  CLI::App app("The cost of one LoRA training step");
  app.add_option("--model", options.model)->check(CLI::IsMember({"minilm-l6", "bert-base"}));
  app.add_option("--targets", options.targets)->check(CLI::IsMember({"qv", "all"}));
  app.add_option("--dtype", options.dtype)->check(CLI::IsMember({"f32", "bf16"}));
  app.add_option("--lengths", options.lengths);
  app.add_option("--threads", options.threads);
  app.add_option("--seconds", options.seconds);
  CLI11_PARSE(app, argc, argv);
  inlay::run(options);
  return 0;
}
