// Tasks whose examples are several sequences against PyTorch, through the pass that training runs:
// what the head or the pooling gives, the loss, and the gradient of every tensor.
#include <cmath>
#include <deque>

#include "eval/batch_pass.h"
#include "golden_case.h"

namespace inlay {
namespace {

struct TaskCase {
  const char* folder;
  const char* task;
  DType compute;
};

std::vector<TaskCase> all_task_cases() {
  std::vector<TaskCase> cases;
  for (DType compute : {DType::kF64, DType::kF32, DType::kBF16}) {
    cases.push_back({"bert-question-answering", "question-answering", compute});
    cases.push_back({"roberta-question-answering", "question-answering", compute});
    cases.push_back({"distilbert-question-answering", "question-answering", compute});
    cases.push_back({"bert-multiple-choice", "multiple-choice", compute});
    cases.push_back({"roberta-multiple-choice", "multiple-choice", compute});
    cases.push_back({"distilbert-multiple-choice", "multiple-choice", compute});
    cases.push_back({"bert-sentence-retrieval", "sentence-retrieval", compute});
    cases.push_back({"bert-sentence-triplets", "sentence-triplets", compute});
    cases.push_back({"bert-sentence-triplets-euclidean", "sentence-triplets", compute});
    cases.push_back({"bert-sentence-similarity", "sentence-similarity", compute});
  }
  return cases;
}

bool has_head(const TaskCase& of) { return find_task(of.task).layer == OutputLayer::kHead; }

std::string base_of(const TaskCase& of) {
  return has_head(of) ? of.folder : "bert-sentence-embedding";
}

TaskOptions options_of(const TaskCase& of) {
  bool euclidean = std::string(of.folder).ends_with("euclidean");
  return euclidean ? TaskOptions{.distance = Similarity::kEuclidean, .margin = 0.7} : TaskOptions{};
}

class TaskGolden : public testing::TestWithParam<TaskCase> {
 protected:
  TaskGolden() : golden_(base_of(GetParam()), GetParam().folder, GetParam().compute) {
    learner_.model = golden_.model;
    learner_.adapter = Adapter::create("full", parse_method("full"), golden_.model->facts(), 1);
    for (Adapter::Entry& entry : learner_.adapter->entries())
      golden_.set(entry.parameter, entry.parameter.value());
    set_task(learner_, find_task(GetParam().task), {.options = options_of(GetParam())});
    if (has_head(GetParam())) {
      golden_.load_head(learner_.task->head_kind());
      learner_.head = std::move(golden_.head);
    }
    activate(golden_.context, learner_);
    read_examples();
  }

  double tolerance() const { return golden_tolerance(GetParam().compute); }

  // Biases that shift all logits of a softmax alike have no effect: their gradient is rounding
  // alone.
  double gradient_tolerance(const Tensor& expected) const {
    double largest = 0;
    for (int64_t i = 0; i < expected.count(); ++i)
      largest = std::max(largest, std::fabs(in(expected).load<double>(i)));
    return largest < 1e-12 ? 1000 * tolerance() : tolerance();
  }

  // Sequences [first, last) of the batch as one example.
  void add_example(int64_t first, int64_t last) {
    const std::vector<int64_t>& offsets = golden_.batch.tokens.example_offsets;
    EncodedExample& example = encoded_.emplace_back();
    example.source = &sources_.emplace_back();
    for (int64_t s = first; s < last; ++s) {
      auto begin = offsets[static_cast<std::size_t>(s)];
      auto end = offsets[static_cast<std::size_t>(s) + 1];
      TokenSequence sequence;
      sequence.ids = {golden_.batch.ids.begin() + begin, golden_.batch.ids.begin() + end};
      sequence.types = {golden_.batch.types.begin() + begin, golden_.batch.types.begin() + end};
      if (s == first) {
        example.tokens = std::move(sequence);
      } else {
        example.further.push_back(std::move(sequence));
      }
    }
  }

  // What the task's targets are made of.
  void set_labels(std::size_t number, int64_t first) {
    kernels::Input labels = in(labels_);
    Example& source = sources_[number];
    if (labels_.dtype() != DType::kI64) {
      source.values = {static_cast<float>(labels.load<double>(static_cast<int64_t>(number)))};
      return;
    }
    auto label = [&](int64_t i) { return static_cast<int32_t>(labels_.data<int64_t>()[i]); };
    if (std::string(GetParam().task) == "multiple-choice") {
      source.class_id = label(static_cast<int64_t>(number));
      return;
    }
    for (std::size_t w = 0; w < encoded_[number].sequence_count(); ++w) {
      int64_t place = 2 * (first + static_cast<int64_t>(w));
      encoded_[number].windows.push_back(
          {.first = 1, .answer_start = label(place), .answer_end = label(place + 1)});
    }
  }

  void read_examples() {
    labels_ = golden_.expected("labels");
    Tensor ends = golden_.expected("examples");
    for (int64_t e = 0; e + 1 < ends.count(); ++e) {
      add_example(ends.data<int64_t>()[e], ends.data<int64_t>()[e + 1]);
      set_labels(static_cast<std::size_t>(e), ends.data<int64_t>()[e]);
    }
    for (const EncodedExample& example : encoded_) all_.push_back(&example);
  }

  std::map<std::string, Parameter*> parameters() const {
    std::map<std::string, Parameter*> named;
    for (Parameter* parameter : learner_.parameters()) named[parameter->name()] = parameter;
    return named;
  }

  GoldenCase golden_;
  Learner learner_;
  Tensor labels_;
  std::deque<Example> sources_;
  std::deque<EncodedExample> encoded_;
  std::vector<const EncodedExample*> all_;
};

TEST_P(TaskGolden, OutputsAgree) {
  TokenBatch batch =
      make_example_batch(all_, {.first_position = golden_.model->facts().first_position});
  Variable found = learner_logits(golden_.context, learner_, batch);
  expect_tensor(found.value(), golden_.expected("logits"), tolerance(), "logits");
}

TEST_P(TaskGolden, LossAndGradientsOfEveryTensorAgree) {
  double loss = pass_batch(golden_.context, learner_, all_, 0);
  double expected = in(golden_.expected("loss")).load<double>(0);
  EXPECT_NEAR(loss, expected, tolerance() * std::max(1.0, std::fabs(expected)));

  std::map<std::string, Parameter*> all = parameters();
  const std::string& prefix = golden_.model->facts().prefix;
  std::size_t compared = 0;
  for (const std::string& name : golden_.names()) {
    if (!name.starts_with("grad.")) continue;
    std::string bare = name.substr(5);
    if (bare.starts_with(prefix)) bare = bare.substr(prefix.size());
    ASSERT_TRUE(all.contains(bare)) << bare;
    Tensor gradient = all[bare]->take_gradient(), wanted = golden_.expected(name);
    ASSERT_TRUE(gradient.defined()) << name;
    expect_tensor(gradient, wanted, gradient_tolerance(wanted), name);
    ++compared;
  }
  EXPECT_GT(compared, 20u);
}

INSTANTIATE_TEST_SUITE_P(Tasks, TaskGolden, testing::ValuesIn(all_task_cases()),
                         golden_case_name<TaskCase>);

}  // namespace
}  // namespace inlay
