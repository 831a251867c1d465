// What every adapter method promises on every family: a fresh adapter leaves the base alone or says
// that it does not, gates end in the base and in the adapter, files give the same bits back, the
// base never changes, and gradients depend neither on precision beyond rounding, nor on threads,
// nor on how a batch is cut.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>

#include "adapters/storage.h"
#include "autograd/operands.h"
#include "base/source_dir.h"
#include "eval/learner.h"
#include "families.h"

namespace inlay {
namespace {

constexpr int64_t kExamples = 8;
constexpr int64_t kOutputs = 3;

struct Pair {
  const Family* family;
  std::string method;  // as parse_method() reads it
};

// Every method's own example, and settings that take another path through it.
std::vector<std::string> method_texts() {
  std::vector<std::string> texts;
  for (const MethodInfo* method : all_methods()) texts.push_back(method->example);
  for (const char* text :
       {"lora[r=4,use_dora=true]",
        "lora[r=2,use_dora=true,dropout=0.1,layers_to_transform=0]",
        "lora[r=4,lora_bias=true,lora_fa=true]",
        "lora[r=3,use_gating=true,lora_bias=true,dropout=0.1]",
        "lora[r=4,init_lora_weights=pissa,rank_pattern='.*\\.1\\..*':2]",
        "lora[r=2,init_lora_weights=pissa,pissa_niter=4,use_rslora=true]",
        "lora[r=4,init_lora_weights=olora]",
        "lora[r=4,init_lora_weights=orthogonal]",
        "vera[r=16,save_projection=false,projection_prng_key=3,dropout=0.1]",
        "lora[r=4,use_rslora=true,rank_pattern='.*\\.1\\..*':2,init_lora_weights=gaussian]",
        "bottleneck[preset=houlsby,reduction_factor=4,init_weights=houlsby]",
        "bottleneck[preset=parallel,dropout=0.1]",
        "bottleneck[preset=scaled_parallel,leave_out=0]",
        "bottleneck[preset=adapter_plus,reduction_factor=8]",
        "bottleneck[use_gating=true,residual_before_ln=false]",
        "bottleneck[preset=parallel,use_gating=true]",
        "bottleneck[residual_before_ln=post_add,stochastic_depth=0.4]",
        "bottleneck[preset=seq_bn_inv,reduction_factor=8]",
        "bottleneck[preset=double_seq_bn_inv,init_weights=mam_adapter,inv_adapter_reduction_factor="
        "4]",
        "stack(bottleneck[preset=seq_bn_inv], bottleneck[preset=seq_bn_inv])",
        "compacter[reduction_factor=8,phm_dim=2,phm_rank=2]",
        "fuse(bottleneck[preset=parallel], bottleneck[reduction_factor=8])",
        "average(lora[r=2]:1, stack(lora[r=3], bottleneck):3)",
        "split(lora[r=2]:2, lora[r=3])",
        "drop(lora[r=2], 1)",
        "prefix_tuning[num_virtual_tokens=3,shift_positions=true]",
        "loha[r=2,alpha=4,rank_pattern='.*\\.1\\..*':3]",
        "lokr[r=2,alpha=4,decompose_both=true]",
        "lokr[r=8,decompose_factor=2]",
        "miss[r=7,dropout=0.1]",
        "shira[r=3,random_seed=42]",
        "hra[r=3]",
        "oft[oft_block_size=4,use_cayley_neumann=false,block_share=true]",
        "oft[oft_block_size=8,coft=true,eps=0.3]",
        "boft[boft_block_size=0,boft_block_num=4]",
        "c3a[block_size=4,init_weights=gaussian]",
        "fourierft[n_frequency=20,init_weights=false]",
        "randlora[r=4,alpha=4,dropout=0.1,target_modules=all-linear]",
        "vblora[r=1,num_vectors=5,vector_length=4,topk=5,dropout=0.1]",
        "ia3[target_modules=all-linear,feedforward_modules='.*\\.1\\..*']",
        "loreft[r=3,layers=1,dropout=0,non_linearity=gelu]",
        "lora[r=2,rank_pattern='.*\\.1\\..*':1]|ia3|bitfit|lora[r=3]|compacter[reduction_factor=8]",
        "prefix_tuning[num_virtual_tokens=3,use_gating=true,shared_gating=false]",
        "zero_init_prefix[adapter_len=3,adapter_layers=1,gate=scalar]",
        "p_tuning[num_virtual_tokens=3,encoder_hidden_size=8,placement=inputs_embeds]",
        "p_tuning[num_virtual_tokens=3,encoder_reparameterization_type=none,placement=inputs_"
        "embeds]",
        "stack(prompt_tuning[num_virtual_tokens=2], prefix_tuning[num_virtual_tokens=3])",
        "prompt_tuning[num_virtual_tokens=3,prompt_tuning_init=random_uniform,combine=prefix_after_"
        "bos]",
        "prompt_tuning[num_virtual_tokens=4,prompt_tuning_init=normal,placement=inputs_embeds]",
        "trainable_tokens[token_indices=1+3+0,target_modules=position_embeddings]",
        "trainable_tokens[token_indices=9+30+6]|lora[r=2]|bitfit",
        "stack(trainable_tokens[token_indices=30+7+21+5], "
        "prompt_tuning[num_virtual_tokens=2,placement=inputs_embeds])",
        "prefix_tuning[num_virtual_tokens=3,prefix_projection=true,encoder_hidden_size=8,"
        "dropout=0.1,leave_out=0]"}) {
    texts.push_back(text);
  }
  return texts;
}

// Decoders have no table under the name that these texts call it by, and biases in GPT-2 alone.
bool has_places(const Family& family, const std::string& method) {
  if (!is_decoder(family)) return true;
  bool biased = family.name == "gpt2" || method.find("bitfit") == std::string::npos;
  return biased && method.find("position") == std::string::npos;
}

std::vector<Pair> all_pairs() {
  std::vector<Pair> pairs;
  for (const Family* family : all_families()) {
    for (const std::string& method : method_texts()) {
      if (has_places(*family, method)) pairs.push_back({family, method});
    }
  }
  return pairs;
}

std::string pair_name(const testing::TestParamInfo<Pair>& info) {
  std::string name = info.param.family->name + "_" + info.param.method;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

// Each family's tiny model, loaded once.
std::shared_ptr<const Model> tiny_model(const std::string& family) {
  static std::map<std::string, std::shared_ptr<const Model>> models;
  auto& model = models[family];
  if (model == nullptr) {
    model = load_model(source_dir() / "tests/golden/models" / (family + "-single-label"));
  }
  return model;
}

// Ragged rows of 3 to 9 tokens.
std::vector<TokenSequence> examples(const BaseFacts& facts) {
  std::vector<TokenSequence> rows(kExamples);
  Stream stream(7, "contract/tokens");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (uint64_t t = 0; t < 3 + (i * 5) % 7; ++t) {
      rows[i].ids.push_back(
          static_cast<int32_t>(stream.below(static_cast<uint64_t>(facts.vocabulary), 64 * i + t)));
      rows[i].types.push_back(0);
    }
  }
  return rows;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

class MethodContract : public testing::TestWithParam<Pair> {
 protected:
  MethodContract() : model_(tiny_model(GetParam().family->name)), rows_(examples(model_->facts())) {
    learner_ = fresh();
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("contract_" + GetParam().family->name + "_" + learner_.adapter->info().name);
  }
  ~MethodContract() override { std::filesystem::remove_all(folder_); }

  Learner fresh() const { return fresh(GetParam().method); }
  Learner fresh(const std::string& method) const {
    Learner learner;
    learner.model = model_;
    learner.adapter = Adapter::create("contract", parse_method(method), model_->facts(), 3);
    learner.head = std::make_unique<Head>(model_->facts().sequence_head, model_->facts().hidden,
                                          kOutputs, 0.1, 4);
    return learner;
  }

  // As after training: every parameter has moved.
  void train(Learner& learner) const {
    for (Parameter* parameter : learner.parameters()) {
      Stream stream(11, "contract/" + parameter->name());
      Tensor moved = parameter->value().clone();
      for (int64_t i = 0; i < moved.count(); ++i) {
        moved.mutable_data<float>()[i] += 0.05f * stream.normal(static_cast<uint64_t>(i));
      }
      parameter->set_value(std::move(moved));
    }
  }

  TokenBatch batch(const Learner& learner, int64_t first, int64_t last) const {
    std::vector<const TokenSequence*> pointers;
    for (int64_t i = first; i < last; ++i) pointers.push_back(&rows_[static_cast<std::size_t>(i)]);
    return make_token_batch(pointers, {.first = first,
                                       .chunk = learner.gradient_chunk(),
                                       .first_position = model_->facts().first_position});
  }

  // Logits of all examples with these adapters.
  Tensor logits(const Learner& learner, const std::vector<ActiveAdapter>& adapters) const {
    return logits(learner, {adapters, nullptr}, DType::kF32);
  }
  // Of all examples, or of a batch of some.
  Tensor logits(const Learner& learner, const AdaptedBatch& asked, DType compute) const {
    Context context(compute);
    context.tape.set_recording(false);
    context.adapters = asked.adapters;
    TokenBatch all = batch(learner, 0, kExamples);
    return learner_logits(context, learner, asked.batch != nullptr ? *asked.batch : all)
        .value()
        .clone();
  }
  // What each gives in one pass with the others is what it gives alone.
  void expect_alone(const std::vector<AdaptedBatch>& asked) const {
    for (DType compute : {DType::kF32, DType::kBF16}) {
      Context context(compute);
      context.tape.set_recording(false);
      SharedWork work;
      std::vector<Variable> hidden = model_->encode_several(context, asked, work);
      for (std::size_t i = 0; i < asked.size(); ++i) {
        context.adapters = asked[i].adapters;
        Tensor found =
            logits_of_hidden(context, learner_, *model_, hidden[i], *asked[i].batch).value();
        EXPECT_TRUE(same_bits(found, logits(learner_, asked[i], compute)))
            << "number " << i << " in " << dtype_name(compute);
      }
      EXPECT_LE(work.computed, work.alone);
    }
  }
  Tensor base_logits() const { return logits(learner_, {}); }
  Tensor adapted_logits(const Learner& learner) const {
    return logits(learner, {{.hooks = learner.adapter.get()}});
  }

  // The number whose gradients gradients() gives, in double.
  double loss(const Learner& learner) const {
    Context context(DType::kF64);
    context.training = true;
    context.seed = 5;
    context.tape.set_recording(false);
    context.adapters = {{.hooks = learner.adapter.get()}};
    TokenBatch all = batch(learner, 0, kExamples);
    Tensor out = learner_logits(context, learner, all).value();
    Stream stream(13, "contract/grad");
    double sum = 0;
    for (int64_t i = 0; i < out.count(); ++i)
      sum += out.data<double>()[i] * stream.normal(static_cast<uint64_t>(i));
    return sum;
  }

  // Gradients of all parameters for a fixed gradient of the logits, the batch cut into pieces of
  // `size` examples.
  std::vector<Tensor> gradients(Learner& learner, DType compute, int64_t size = kExamples) const {
    Context context(compute);
    context.training = true;
    context.seed = 5;
    context.adapters = {{.hooks = learner.adapter.get()}};
    Stream stream(13, "contract/grad");
    for (int64_t first = 0; first < kExamples; first += size) {
      TokenBatch part = batch(learner, first, first + size);
      Variable out = learner_logits(context, learner, part);
      Tensor seed = Tensor::empty(out.shape(), DType::kF32);
      for (int64_t i = 0; i < seed.count(); ++i) {
        seed.mutable_data<float>()[i] = stream.normal(static_cast<uint64_t>(first * kOutputs + i));
      }
      context.tape.backward(out, seed.to(out.dtype()));
    }
    std::vector<Tensor> taken;
    for (Parameter* parameter : learner.parameters()) {
      Tensor gradient = parameter->take_gradient();
      taken.push_back(gradient.defined() ? gradient.clone() : Tensor());
    }
    return taken;
  }

  // Trains and saves; the learner is left with the adapter in its finished form.
  std::string save() {
    train(learner_);
    std::unique_ptr<Adapter> finished = learner_.adapter->finished(model_->facts());
    if (finished != nullptr) learner_.adapter = std::move(finished);
    HeadLabel label{
        "text-classification", "single_label_classification", "SEQ_CLS", {"bad", "fair", "good"}};
    save_adapter(folder_, {learner_.adapter.get(), learner_.head.get(), label}, model_->facts());
    return adapter_hash(learner_.adapter.get(), learner_.head.get());
  }

  std::shared_ptr<const Model> model_;
  std::vector<TokenSequence> rows_;
  Learner learner_;
  std::filesystem::path folder_;
};

TEST_P(MethodContract, Trap8AFreshAdapterIsTheBaseOrSaysThatItIsNot) {
  EXPECT_EQ(same_bits(base_logits(), adapted_logits(learner_)),
            learner_.adapter->method().identity_at_start());
}

TEST_P(MethodContract, AllGatesAtZeroAreTheBase) {
  train(learner_);
  EXPECT_TRUE(same_bits(base_logits(),
                        logits(learner_, {{.hooks = learner_.adapter.get(), .gate = 0.0f}})));
}

TEST_P(MethodContract, AllGatesAtOneAreTheAdapter) {
  train(learner_);
  Tensor adapted = adapted_logits(learner_);
  ActiveAdapter gated{.hooks = learner_.adapter.get(), .gate = 0.0f};
  for (const Site* site : learner_.adapter->sites()) gated.site_gates[site->index] = 1.0f;
  EXPECT_TRUE(same_bits(adapted, logits(learner_, {gated})));
  bool trains_base = !learner_.adapter->entries().empty();
  EXPECT_EQ(same_bits(adapted, base_logits()), !trains_base);
}

TEST_P(MethodContract, SavedAndLoadedItGivesTheSameBits) {
  std::string hash = save();
  Tensor expected = adapted_logits(learner_);
  LoadedAdapter loaded = load_adapter(folder_, model_->facts());
  EXPECT_EQ(adapter_hash(loaded.adapter.get(), loaded.head.get()), hash);
  EXPECT_EQ(loaded.adapter->name(), "contract");
  EXPECT_EQ(&loaded.adapter->info(), &learner_.adapter->info());
  EXPECT_EQ(loaded.label.task, "text-classification");
  EXPECT_EQ(loaded.label.classes, (std::vector<std::string>{"bad", "fair", "good"}));
  EXPECT_EQ(loaded.head->dropout(), 0.1);
  learner_.adapter = std::move(loaded.adapter);
  learner_.head = std::move(loaded.head);
  EXPECT_TRUE(same_bits(expected, adapted_logits(learner_)));
}

TEST_P(MethodContract, FinishedItGivesTheSameOutputs) {
  train(learner_);
  std::unique_ptr<Adapter> finished = learner_.adapter->finished(model_->facts());
  if (finished == nullptr) return;
  Tensor expected = adapted_logits(learner_);
  EXPECT_EQ(finished->finished(model_->facts()), nullptr);
  learner_.adapter = std::move(finished);
  Tensor found = adapted_logits(learner_);
  double largest = 0;
  for (int64_t i = 0; i < expected.count(); ++i)
    largest = std::max(largest, std::fabs(in(expected).load<double>(i)));
  for (int64_t i = 0; i < expected.count(); ++i)
    EXPECT_NEAR(in(found).load<double>(i), in(expected).load<double>(i), 1e-5 * largest) << i;
}

TEST_P(MethodContract, SavingReplacesAnOlderFolderAsAWhole) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "leftover") << "old";
  save();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "leftover"));
  EXPECT_NO_THROW(load_adapter(folder_, model_->facts()));
  std::string staging = "." + folder_.filename().string() + ".partial";
  EXPECT_FALSE(std::filesystem::exists(folder_.parent_path() / staging));
}

TEST_P(MethodContract, TheBaseKeepsItsBytes) {
  train(learner_);
  gradients(learner_, DType::kF32);
  EXPECT_EQ(model_->checkpoint().root_hash(), model_->facts().root_hash);
}

TEST_P(MethodContract, GradientsInFloatAgreeWithThoseInDouble) {
  train(learner_);
  std::vector<Tensor> narrow = gradients(learner_, DType::kF32);
  learner_.adapter->convert(DType::kF64);
  for (Parameter& parameter : learner_.head->parameters()) parameter.convert(DType::kF64);
  std::vector<Tensor> wide = gradients(learner_, DType::kF64);
  double largest = 0;
  for (const Tensor& gradient : wide) {
    for (int64_t i = 0; gradient.defined() && i < gradient.count(); ++i) {
      largest = std::max(largest, std::fabs(in(gradient).load<double>(i)));
    }
  }
  // A decoder's residual stream is normalised for reading alone: products and roundings grow with
  // it.
  double bound = (model_->facts().causal ? 2e-5 : 1e-5) * largest;
  std::vector<Parameter*> parameters = learner_.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    ASSERT_EQ(narrow[p].defined(), wide[p].defined()) << parameters[p]->name();
    for (int64_t i = 0; wide[p].defined() && i < wide[p].count(); ++i) {
      ASSERT_NEAR(in(narrow[p]).load<double>(i), in(wide[p]).load<double>(i), bound)
          << parameters[p]->name() << " at " << i;
    }
  }
}

// d loss / d parameter along a drawn direction, against the difference of two losses. Once per
// method: what a family adds is checked by its own tests.
TEST_P(MethodContract, GradientsAreThoseOfFiniteDifferences) {
  bool first_family = GetParam().family == all_families().front();
  if (!first_family || !learner_.adapter->method().gradient_is_exact()) return;
  train(learner_);
  learner_.adapter->convert(DType::kF64);
  for (Parameter& parameter : learner_.head->parameters()) parameter.convert(DType::kF64);
  std::vector<Tensor> gradients_here = gradients(learner_, DType::kF64);
  std::vector<Parameter*> parameters = learner_.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    if (!gradients_here[p].defined()) continue;
    Tensor start = parameters[p]->value().clone();
    Stream stream(17, "contract/direction/" + parameters[p]->name());
    auto loss_at = [&](double step) {
      Tensor moved = start.clone();
      for (int64_t i = 0; i < moved.count(); ++i)
        moved.mutable_data<double>()[i] += step * stream.normal(static_cast<uint64_t>(i));
      parameters[p]->set_value(std::move(moved));
      return loss(learner_);
    };
    constexpr double kStep = 1e-5;
    double measured = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
    double expected = 0, size = 0;
    for (int64_t i = 0; i < start.count(); ++i) {
      double term = gradients_here[p].data<double>()[i] * stream.normal(static_cast<uint64_t>(i));
      expected += term;
      size += std::fabs(term);
    }
    parameters[p]->set_value(std::move(start));
    EXPECT_NEAR(measured, expected, 1e-5 * size + 1e-8) << parameters[p]->name();
  }
}

// Every linear layer that the adapter can be merged into gives with merged tensors what layer and
// adapter give together; in double, so that nothing but the mathematics can differ.
TEST_P(MethodContract, MergedIsUnmerged) {
  train(learner_);
  learner_.adapter->convert(DType::kF64);
  for (const Site* site : learner_.adapter->sites()) {
    if (site->kind != SiteKind::kLinear) continue;
    MergedTensors merged{out_by_in(*site).to(DType::kF64),
                         site->bias.defined() ? site->bias.to(DType::kF64) : Tensor()};
    SiteHook* hook = learner_.adapter->at(site->index);
    if (hook == nullptr || !hook->merge(merged)) continue;
    LinearSite base{*site,
                    FrozenWeight(out_by_in(*site), site->bias, onednn::Layout::kOutIn, nullptr)};
    LinearSite whole{*site,
                     FrozenWeight(merged.weight, merged.bias, onednn::Layout::kOutIn, nullptr)};
    Context context(DType::kF64);
    context.tape.set_recording(false);
    context.begin_forward();
    TokenBatch rows = batch(learner_, 0, kExamples);
    Stream stream(19, "contract/merged/" + site->name);
    Tensor x = Tensor::empty({rows.tokens.rows(), site->in}, DType::kF64);
    for (int64_t i = 0; i < x.count(); ++i)
      x.mutable_data<double>()[i] = stream.normal(static_cast<uint64_t>(i));
    Variable input = context.tape.constant(x, &rows.tokens);
    Tensor expected = linear_site(context, whole, input, Precision::kFull).value();
    context.adapters = {{.hooks = learner_.adapter.get()}};
    Tensor unmerged = linear_site(context, base, input, Precision::kFull).value();
    for (int64_t i = 0; i < expected.count(); ++i) {
      double want = expected.data<double>()[i];
      ASSERT_NEAR(unmerged.data<double>()[i], want, 1e-6 * (1 + std::fabs(want)))
          << site->name << " at " << i;
    }
  }
}

TEST_P(MethodContract, GradientsDoNotDependOnThreads) {
  train(learner_);
  int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  std::vector<Tensor> one = gradients(learner_, DType::kF32);
  omp_set_num_threads(2);
  std::vector<Tensor> two = gradients(learner_, DType::kF32);
  omp_set_num_threads(threads);
  for (std::size_t p = 0; p < one.size(); ++p) {
    if (!one[p].defined()) continue;
    EXPECT_TRUE(same_bits(one[p], two[p])) << learner_.parameters()[p]->name();
  }
}

TEST_P(MethodContract, Trap11GradientsDoNotDependOnMicroBatches) {
  train(learner_);
  std::vector<Tensor> whole = gradients(learner_, DType::kF32);
  std::vector<Tensor> halves = gradients(learner_, DType::kF32, kExamples / 2);
  for (std::size_t p = 0; p < whole.size(); ++p) {
    if (!whole[p].defined()) continue;
    EXPECT_TRUE(same_bits(whole[p], halves[p])) << learner_.parameters()[p]->name();
  }
}

TEST_P(MethodContract, Trap16RowsOfAMixedBatchAreThoseOfTheirOwnAdapters) {
  train(learner_);
  Context context(DType::kF32);
  context.tape.set_recording(false);
  constexpr int64_t kHalf = kExamples / 2;
  context.segments = {{0, kHalf, {}}, {kHalf, kExamples, {{.hooks = learner_.adapter.get()}}}};
  TokenBatch all = batch(learner_, 0, kExamples);
  bool replaces_tables = std::any_of(
      learner_.adapter->sites().begin(), learner_.adapter->sites().end(), [&](const Site* site) {
        return site->kind == SiteKind::kEmbedding &&
               learner_.adapter->at(site->index)->replacements().weight != nullptr;
      });
  if (replaces_tables) {  // a replaced table holds for a whole batch
    EXPECT_THROW(learner_logits(context, learner_, all), Error);
    return;
  }
  Tensor mixed = learner_logits(context, learner_, all).value().clone();
  Tensor base = base_logits(), adapted = adapted_logits(learner_);
  auto expect_rows = [&](const Tensor& own, int64_t first, int64_t last) {
    for (int64_t i = first * kOutputs; i < last * kOutputs; ++i) {
      EXPECT_EQ(mixed.data<float>()[i], own.data<float>()[i]) << i;
    }
  };
  expect_rows(base, 0, kHalf);
  expect_rows(adapted, kHalf, kExamples);
}

// A pass for several adapters takes every method, those that replace the base's tables, too.
TEST_P(MethodContract, Trap16ParallelAdaptersGiveWhatEachGivesAlone) {
  Learner other = fresh("lora[r=2,layers_to_transform=1]");
  train(learner_);
  train(other);
  TokenBatch all = batch(learner_, 0, kExamples);
  expect_alone({{{}, &all},
                {{{.hooks = learner_.adapter.get()}}, &all},
                {{{.hooks = other.adapter.get()}}, &all}});
}

TEST_P(MethodContract, Trap16RowsThatNameAnAdapterGetWhatItGivesAlone) {
  Learner other = fresh("bottleneck[reduction_factor=8]");
  train(learner_);
  train(other);
  constexpr int64_t kHalf = kExamples / 2;
  TokenBatch first = batch(learner_, 0, kHalf), second = batch(learner_, kHalf, kExamples);
  expect_alone(
      {{{{.hooks = other.adapter.get()}}, &first}, {{{.hooks = learner_.adapter.get()}}, &second}});
}

TEST_P(MethodContract, AnotherBaseIsRefusedWithBothHashes) {
  save();
  BaseFacts other = model_->facts();
  other.root_hash = std::string(64, '0');
  try {
    load_adapter(folder_, other);
    FAIL() << "loaded onto another base";
  } catch (const Error& error) {
    std::string text = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(text.find(other.root_hash), text.npos) << text;
    EXPECT_NE(text.find(model_->facts().root_hash), text.npos) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, MethodContract, testing::ValuesIn(all_pairs()), pair_name);

}  // namespace
}  // namespace inlay
