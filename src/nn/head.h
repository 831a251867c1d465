// The task's output layer: pooling, dense layers with an activation, and a last linear layer to the
// logits. Trained with an adapter and saved beside it. A family says how its Hugging Face head
// looks; mean pooling is for bases without a pooler.
//
//   BERT     pooler(CLS)      dropout                                classifier
//   Llama    last token       dropout                                score, without a bias
//   RoBERTa  first token      dropout, classifier.dense, tanh, dropout   classifier.out_proj
//
// Two heads are our own: one that detects objects on the maps of several layers
// (nn/detection_head.h), and one that gives an embedding beside its cosines with the classes
// (nn/cosine_output.h).
#pragma once

#include <deque>
#include <span>
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
  kDetection,          // classes, sides and centreness at each place of several maps
  kVerification,       // an embedding, and its cosines with the classes
};

// Where the head's first layer reads.
enum class HeadInput {
  kPooler,
  kFirst,
  kMean,
  kTokens,
  kLast,
  kPyramid,  // maps of several layers
};
std::string_view head_input_name(HeadInput input);  // "pooler", "first", "mean", ...
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
  std::vector<int64_t> levels = {};  // kPyramid: channels of each map that is read, finest first
  int64_t width = 128;               // kPyramid: channels of the pyramid and its tower
  int64_t embedding = 0;  // > 0: a linear layer "embedding" to so many channels before the output
  // The output layer gives what it reads, of length 1, and behind that the cosines with the rows of
  // its weight. Without a bias.
  bool cosine = false;
};

class Head {
 public:
  // Weights start from N(0, 0.02^2), biases from 0, as Hugging Face does; streams are named
  // "init/head/<parameter>". For kPyramid as nn/detection_head.h says, whatever `hidden` is.
  Head(HeadLayout layout, int64_t hidden, int64_t outputs, double dropout, uint64_t seed);

  // `pooled` is (examples, hidden), or (tokens, hidden) for kTokens -> (same rows, outputs), full
  // precision; with `cosine` (same rows, channels of the embedding + outputs). REQUIRES: the input
  // is not kPyramid.
  Variable logits(Context& context, const Variable& pooled);
  // The same of the maps of all levels, as detection_logits() gives it. REQUIRES: kPyramid.
  Variable pyramid_logits(Context& context, std::span<const Variable> levels);

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
  // Weight and bias of each dense layer, of the embedding where there is one, then of the output,
  // which may lack the bias. For kPyramid those of nn/detection_head.h.
  std::deque<Parameter> parameters_;
};

}  // namespace inlay
