// One folder of tests/golden/models as a test runs it: the model, the batch, the head from the same
// files, the loss of the task, and comparison of whole tensors.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/storage.h"
#include "autograd/operands.h"
#include "autograd/ops/losses.h"
#include "autograd/ops/row_ops.h"
#include "base/source_dir.h"
#include "formats/safetensors.h"
#include "models/model.h"

namespace inlay {

inline std::filesystem::path golden_folder(const std::string& name) {
  return source_dir() / "tests/golden/models" / name;
}

// The name of a test of a folder in a compute type: "bert_lora_F32".
template <class Case>
std::string golden_case_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.folder;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name + "_" + std::string(dtype_name(info.param.compute));
}

// What a compute type may differ by from float64, relative to the largest value of the tensor: each
// of the ~40 roundings on the way is within half an ulp, and they add up like a random walk.
inline double golden_tolerance(DType compute) { return compute == DType::kBF16 ? 0.04 : 1e-5; }

inline void expect_tensor(const Tensor& found, const Tensor& expected, double tolerance,
                          const std::string& name) {
  ASSERT_EQ(found.count(), expected.count()) << name;
  double largest = 0, worst = 0;
  int64_t place = 0;
  kernels::Input got = in(found), want = in(expected);
  for (int64_t i = 0; i < found.count(); ++i) {
    largest = std::max(largest, std::fabs(want.load<double>(i)));
    double difference = std::fabs(got.load<double>(i) - want.load<double>(i));
    if (!(difference <= worst)) {
      worst = difference;
      place = i;
    }
  }
  EXPECT_LE(worst, tolerance * std::max(largest, 1e-3))
      << name << " at " << place << ": " << got.load<double>(place) << " where "
      << want.load<double>(place) << " is expected; the largest value is " << largest;
}

// The mean error of many values, relative to their mean size: in bf16 the roundings of dozens of
// layers add up, and the worst of thousands of values says little.
inline void expect_close_on_average(const Tensor& found, const Tensor& expected, double tolerance,
                                    const std::string& name) {
  ASSERT_EQ(found.count(), expected.count()) << name;
  double error = 0, size = 0;
  for (int64_t i = 0; i < found.count(); ++i) {
    error += std::fabs(in(found).load<double>(i) - in(expected).load<double>(i));
    size += std::fabs(in(expected).load<double>(i));
  }
  EXPECT_LE(error, tolerance * size) << name;
}

class GoldenCase {
 public:
  GoldenCase(const std::string& base, const std::string& expected, DType compute)
      : context(compute),
        expected_(SafetensorsFile::open(golden_folder(expected) / "expected.safetensors")) {
    model =
        load_model(golden_folder(base), {.masked_lm = base.find("masked-lm") != base.npos,
                                         .language_model = base.find("causal-lm") != base.npos});
    read_batch();
  }

  Tensor expected(const std::string& name) const { return expected_.tensor(name); }
  bool has(const std::string& name) const { return expected_.contains(name); }
  std::vector<std::string> names() const { return expected_.names(); }

  // The Hugging Face head of the family with the weights of the model's files.
  void load_head(HeadKind kind) {
    HeadLayout layout = model->facts().head_layout(kind);
    int64_t outputs = model->checkpoint().tensor(layout.output + ".weight").dim(0);
    head = std::make_unique<Head>(layout, model->facts().hidden, outputs, 0.0, 1);
    for (Parameter& parameter : head->parameters())
      set(parameter, model->checkpoint().tensor(parameter.name()));
  }

  // The adapter of a folder, made active, and its head where it has one.
  std::unique_ptr<Adapter> load_with_head(const std::string& folder) {
    LoadedAdapter loaded = load_adapter(golden_folder(folder), model->facts());
    loaded.adapter->convert(context.dtype(Precision::kFull));
    if (loaded.head != nullptr) {
      head = std::move(loaded.head);
      for (Parameter& parameter : head->parameters()) set(parameter, parameter.value());
    }
    context.adapters = {{.hooks = loaded.adapter.get()}};
    return std::move(loaded.adapter);
  }

  // All trainable tensors in the type that the context computes in.
  void set(Parameter& parameter, const Tensor& value) const {
    parameter.convert(value.dtype());
    parameter.set_value(value);
    parameter.convert(context.dtype(Precision::kFull));
  }

  Variable encode() { return model->encode(context, batch); }

  Variable head_logits() {
    Variable hidden = encode();
    switch (head->layout().input) {
      case HeadInput::kPooler:
        return head->logits(context, model->pooled(context, hidden, batch));
      case HeadInput::kFirst:
        return head->logits(context, pooling(context, hidden, Pooling::kFirst, &batch.examples));
      case HeadInput::kMean:
        return head->logits(context, pooling(context, hidden, Pooling::kMean, &batch.examples));
      case HeadInput::kLast:
        return head->logits(context, pooling(context, hidden, Pooling::kLast, &batch.examples));
      case HeadInput::kTokens:
        return head->logits(context, hidden);
      case HeadInput::kPyramid:
        break;  // no library's own
    }
    return {};
  }

  // Of the head, in the type that the context computes in.
  void expect_logits_and_loss() {
    double tolerance = golden_tolerance(context.compute);
    Variable logits = head_logits();
    expect_tensor(logits.value(), expected("logits"), tolerance, "logits");
    std::vector<int32_t> labels = class_labels();
    Variable rows =
        cross_entropy(context, logits, labels, {.normalizer = cross_entropy_weight(labels, {})});
    double loss = 0;
    for (int64_t i = 0; i < rows.value().count(); ++i) loss += in(rows.value()).load<double>(i);
    EXPECT_NEAR(loss, in(expected("loss")).load<double>(0), tolerance);
  }

  std::vector<int32_t> class_labels() const {
    Tensor labels = expected_.tensor("labels");
    const auto* values = labels.data<int64_t>();
    return {values, values + labels.count()};
  }

  // Walks back from the given gradient of the logits.
  void backward(const Variable& logits) {
    Tensor seed = expected_.tensor("grad_logits").reshaped(logits.shape()).to(logits.dtype());
    context.tape.backward(logits, seed);
  }

  Context context;
  std::shared_ptr<const Model> model;
  TokenBatch batch;
  std::unique_ptr<Head> head;

 private:
  void read_batch() {
    Tensor ids = expected_.tensor("input_ids"), offsets = expected_.tensor("offsets");
    Tensor types = expected_.tensor("token_type_ids");
    sequences_.resize(static_cast<std::size_t>(offsets.count() - 1));
    std::vector<const TokenSequence*> pointers;
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
      for (int64_t t = offsets.data<int64_t>()[i]; t < offsets.data<int64_t>()[i + 1]; ++t) {
        sequences_[i].ids.push_back(static_cast<int32_t>(ids.data<int64_t>()[t]));
        sequences_[i].types.push_back(static_cast<int32_t>(types.data<int64_t>()[t]));
      }
      pointers.push_back(&sequences_[i]);
    }
    batch = make_token_batch(pointers, {.first_position = model->facts().first_position});
  }

  SafetensorsFile expected_;
  std::vector<TokenSequence> sequences_;
};

}  // namespace inlay
