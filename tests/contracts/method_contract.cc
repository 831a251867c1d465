#include "method_contract.h"

#include <cstring>

#include "adapters/storage.h"
#include "test_sequences.h"

namespace inlay {

MethodContract::MethodContract() : model_(tiny_model(*GetParam().family)) {
  rows_ = test_sequences(model_->facts(), kExamples);
  learner_ = fresh();
  folder_ = std::filesystem::path(testing::TempDir()) /
            ("contract_" + GetParam().family->name + "_" + learner_.adapter->info().name);
}

MethodContract::~MethodContract() { std::filesystem::remove_all(folder_); }

bool MethodContract::same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

Learner MethodContract::fresh(const std::string& method) const {
  Learner learner;
  learner.model = model_;
  learner.adapter = Adapter::create("contract", parse_method(method), model_->facts(), 3);
  learner.head = std::make_unique<Head>(model_->facts().sequence_head, head_width(model_->facts()),
                                        kOutputs, 0.1, 4);
  return learner;
}

void MethodContract::train(Learner& learner) const {
  for (Parameter* parameter : learner.parameters()) {
    Stream stream(11, "contract/" + parameter->name());
    Tensor moved = parameter->value().clone();
    for (int64_t i = 0; i < moved.count(); ++i) {
      moved.mutable_data<float>()[i] += 0.05f * stream.normal(static_cast<uint64_t>(i));
    }
    parameter->set_value(std::move(moved));
  }
}

TokenBatch MethodContract::batch(const Learner& learner, int64_t first, int64_t last) const {
  std::vector<const TokenSequence*> pointers;
  for (int64_t i = first; i < last; ++i) pointers.push_back(&rows_[static_cast<std::size_t>(i)]);
  return make_token_batch(pointers, {.first = first,
                                     .chunk = learner.gradient_chunk(),
                                     .first_position = model_->facts().first_position});
}

Tensor MethodContract::logits(const Learner& learner, const AdaptedBatch& asked,
                              DType compute) const {
  Context context(compute);
  context.tape.set_recording(false);
  context.adapters = asked.adapters;
  TokenBatch all = batch(learner, 0, kExamples);
  return learner_logits(context, learner, asked.batch != nullptr ? *asked.batch : all)
      .value()
      .clone();
}

void MethodContract::expect_alone(const std::vector<AdaptedBatch>& asked) const {
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

double MethodContract::loss(const Learner& learner) const {
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

std::vector<Tensor> MethodContract::gradients(Learner& learner, DType compute, int64_t size,
                                              const StepWay& way) const {
  Context context(compute);
  use(context, way);
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

std::string MethodContract::save() {
  train(learner_);
  std::unique_ptr<Adapter> finished = learner_.adapter->finished(model_->facts());
  if (finished != nullptr) learner_.adapter = std::move(finished);
  HeadLabel label{
      "text-classification", "single_label_classification", "SEQ_CLS", {"bad", "fair", "good"}};
  save_adapter(folder_, {learner_.adapter.get(), learner_.head.get(), label}, model_->facts());
  return adapter_hash(learner_.adapter.get(), learner_.head.get());
}

}  // namespace inlay
