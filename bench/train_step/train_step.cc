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

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>

#include "../bench_program.h"
#include "../classifier_training.h"
#include "../sentence_lengths.h"
#include "base/process.h"
#include "formats/safetensors.h"
#include "nn/initializers.h"
#include "tensor/onednn/peak.h"
#include "tensor/threads.h"

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

struct Options : BenchOptions {
  std::string model = "minilm-l6", targets = "qv", lengths;
  double seconds = 5;
};

// Token counts per batch.
std::vector<std::vector<int64_t>> batches(const Options& options) {
  if (options.lengths.empty()) return {std::vector<int64_t>(8, 128)};
  return read_sentence_lengths(options.lengths);
}

std::unique_ptr<ClassifierTraining> make_bench(const Options& options) {
  fs::path folder = model_folder(options.model);
  std::shared_ptr<const Model> model = load_model(folder);
  fs::remove_all(folder);  // the mapping stays
  std::string method = options.targets == "qv" ? "lora[r=8,alpha=16,target_modules=query+value]"
                                               : "lora[r=8,alpha=16]";
  auto bench =
      std::make_unique<ClassifierTraining>(std::move(model), method, "first", options.compute());
  bench->make_batches(batches(options));
  return bench;
}

void run(const Options& options) {
  start_threads(options.threads);
  std::unique_ptr<ClassifierTraining> bench = make_bench(options);
  Context& context = bench->context();
  std::size_t warm_up = std::max<std::size_t>(2, bench->batch_count());  // every shape was seen
  std::size_t number = 0;
  for (; number < warm_up; ++number) bench->step(number);

  std::vector<double> seconds;
  seconds.reserve(1 << 16);
  int64_t primitives = context.runtime.primitives_created();
  HeapAllocations before = heap_allocations;
  std::size_t touched = context.arena.touched_bytes(), first = number;
  context.useful_flops = 0;
  double begin = now(), total = 0;
  int64_t tokens = 0;
  // Whole passes over the batches, so that every run measures the same work.
  while (now() - begin < options.seconds || (number - first) % bench->batch_count() != 0) {
    double start = now();
    tokens += bench->step(number++);
    seconds.push_back(now() - start);
    total += seconds.back();
  }
  HeapAllocations after = heap_allocations;
  auto steps = static_cast<double>(number - first);
  double middle = median(seconds);
  // Equal steps: the median; mixed ones: the sum of a pass.
  double per_second = bench->batch_count() == 1 ? static_cast<double>(tokens) / steps / middle
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
  options.add_to(app);
  app.add_option("--lengths", options.lengths);
  app.add_option("--seconds", options.seconds);
  return inlay::run_bench(app, argc, argv, [&] { inlay::run(options); });
}
