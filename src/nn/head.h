// The task's output layer: pooling, dense layers with an activation, and a last linear layer to the
// logits. Trained with an adapter and saved beside it. A family says how its Hugging Face head
// looks; mean pooling is for bases without a pooler.
//
//   BERT     pooler(CLS)      dropout                                classifier
//   Llama    last token       dropout                                score, without a bias
//   RoBERTa  first token      dropout, classifier.dense, tanh, dropout   classifier.out_proj
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "autograd/ops/activation.h"
#include "autograd/ops/pooling.h"
#include "nn/context.h"

namespace inlay {

enum class HeadKind {
  kSequenceClassification,
  kTokenClassification,
  kQuestionAnswering,  // two outputs per token
  kMultipleChoice,     // one output per sequence
};

// Where the head's first layer reads.
enum class HeadInput { kPooler, kFirst, kMean, kTokens, kLast };
std::string_view head_input_name(HeadInput input);  // "pooler", "first", "mean", "tokens", "last"
HeadInput head_input_from_name(std::string_view name, std::string_view where);

struct HeadDense {
  std::string name;  // "classifier.dense"
  Activation activation;
};

struct HeadLayout {
  HeadInput input = HeadInput::kFirst;
  bool dropout_first = true;  // before the dense layers, too
  std::vector<HeadDense> dense;
  std::string output = "classifier";
  bool output_bias = true;
};

class Head {
 public:
  // Weights start from N(0, 0.02^2), biases from 0, as Hugging Face does; streams are named
  // "init/head/<parameter>".
  Head(HeadLayout layout, int64_t hidden, int64_t outputs, double dropout, uint64_t seed);

  // `pooled` is (examples, hidden), or (tokens, hidden) for kTokens -> (same rows, outputs), full
  // precision.
  Variable logits(Context& context, const Variable& pooled);

  const HeadLayout& layout() const { return layout_; }
  int64_t outputs() const { return outputs_; }
  double dropout() const { return dropout_; }
  // "classifier.weight", "classifier.bias", ...: Hugging Face's names.
  std::deque<Parameter>& parameters() { return parameters_; }
  const std::deque<Parameter>& parameters() const { return parameters_; }
  int64_t parameter_count() const;

 private:
  void add_linear(const std::string& name, int64_t in, int64_t out, bool bias, uint64_t seed);

  HeadLayout layout_;
  int64_t outputs_;
  double dropout_;
  std::deque<Parameter> parameters_;  // weight and bias of each dense layer, then of the output,
                                      // which may lack the bias
};

}  // namespace inlay
