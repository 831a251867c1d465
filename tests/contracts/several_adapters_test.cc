// Several adapters with a head each, asked in one pass: the answers of each alone, and no row
// computed twice that need not be.
#include <gtest/gtest.h>

#include "adapters/composition.h"
#include "base/source_dir.h"
#include "eval/several_learners.h"
#include "families.h"

namespace inlay {
namespace {

constexpr std::size_t kExamples = 7;

class SeveralAdapters : public testing::TestWithParam<std::string> {
 protected:
  SeveralAdapters()
      : model_(load_model(source_dir() / "tests/golden/models" / (GetParam() + "-single-label"))) {
    Stream stream(7, "several/tokens");
    for (std::size_t i = 0; i < kExamples; ++i) {
      EncodedExample& example = encoded_.emplace_back();
      example.source = &source_;
      for (uint64_t t = 0; t < 3 + (i * 5) % 7; ++t) {
        example.tokens.ids.push_back(static_cast<int32_t>(
            stream.below(static_cast<uint64_t>(model_->facts().vocabulary), 64 * i + t)));
        example.tokens.types.push_back(0);
      }
    }
    for (const EncodedExample& example : encoded_) examples_.push_back(&example);
  }

  // As after training, with a head of `classes` outputs.
  NamedLearner learner(const std::string& name, std::unique_ptr<Adapter> adapter,
                       std::size_t classes) const {
    NamedLearner named{.name = name, .task = &find_task("text-classification")};
    named.learner.model = model_;
    named.learner.adapter = std::move(adapter);
    named.learner.head =
        std::make_unique<Head>(model_->facts().sequence_head, head_width(model_->facts()),
                               static_cast<int64_t>(classes), 0.0, 4 + classes);
    named.learner.task = named.task->make(std::vector<std::string>(classes, "class"), 0, {});
    return named;
  }

  std::unique_ptr<Adapter> trained(const std::string& method) const {
    auto adapter = Adapter::create("a", parse_method(method), model_->facts(), 3);
    for (Adapter::Entry& entry : adapter->entries()) {
      Stream stream(11, "several/" + method + entry.parameter.name());
      Tensor moved = entry.parameter.value().clone();
      for (int64_t i = 0; i < moved.count(); ++i)
        moved.mutable_data<float>()[i] += 0.05f * stream.normal(static_cast<uint64_t>(i));
      entry.parameter.set_value(std::move(moved));
    }
    return adapter;
  }

  std::unique_ptr<Adapter> dropped(const Adapter& adapter, const std::string& layers) const {
    return compose("dropped", "drop(a, " + layers + ")", {{"a", &adapter}}, model_->facts(), 1);
  }

  std::vector<ModelOutput> alone(const NamedLearner& named) const {
    Context context(DType::kF32);
    activate(context, named.learner);
    return predict(context, named.learner, examples_);
  }

  SharedWork expect_parallel(const std::vector<NamedLearner>& learners) const {
    Context context(DType::kF32);
    SharedWork work;
    auto outputs = predict_parallel(context, learners, examples_, {}, work);
    EXPECT_EQ(outputs.size(), learners.size());
    for (std::size_t l = 0; l < learners.size(); ++l) {
      std::vector<ModelOutput> own = alone(learners[l]);
      for (std::size_t i = 0; i < kExamples; ++i)
        EXPECT_EQ(outputs[l][i].values, own[i].values) << learners[l].name << ", example " << i;
    }
    return work;
  }

  std::shared_ptr<const Model> model_;
  Example source_;
  std::deque<EncodedExample> encoded_;
  std::vector<const EncodedExample*> examples_;
};

TEST_P(SeveralAdapters, InParallelAnswerWithTheirOwnHeads) {
  std::vector<NamedLearner> learners;
  learners.push_back(learner("lora", trained("lora[r=4]"), 2));
  learners.push_back(learner("bottleneck", trained("bottleneck[reduction_factor=8]"), 3));
  learners.push_back(learner("prefix", trained("prefix_tuning[num_virtual_tokens=3]"), 4));
  learners.push_back(learner("prompt", trained("prompt_tuning[num_virtual_tokens=2]"), 5));
  learners.push_back(learner("full", trained("full"), 2));
  learners.push_back(learner("head", nullptr, 3));
  SharedWork work = expect_parallel(learners);
  EXPECT_GT(work.alone, 0);
}

// Two layers: one of a pass each, against a shared one and two of their own.
TEST_P(SeveralAdapters, ShareTheLayersThatAreDropped) {
  auto a = trained("lora[r=4]"), b = trained("bottleneck[reduction_factor=8]");
  std::vector<NamedLearner> learners;
  learners.push_back(learner("a", dropped(*a, "0"), 2));
  learners.push_back(learner("b", dropped(*b, "0"), 3));
  SharedWork work = expect_parallel(learners);
  EXPECT_EQ(4 * work.computed, 3 * work.alone);
}

// Heads over the same base, and an adapter that has none of its layers: nothing twice.
TEST_P(SeveralAdapters, ShareAllWhereNoneChangesTheBase) {
  auto a = trained("lora[r=4]");
  std::vector<NamedLearner> learners;
  learners.push_back(learner("a", nullptr, 2));
  learners.push_back(learner("b", nullptr, 3));
  learners.push_back(learner("c", dropped(*a, "0, 1"), 3));
  SharedWork work = expect_parallel(learners);
  EXPECT_EQ(3 * work.computed, work.alone);
}

// One parts in the first layer; the two others go on together until the last.
TEST_P(SeveralAdapters, PartOneAfterTheOther) {
  auto a = trained("lora[r=4]");
  std::vector<NamedLearner> learners;
  learners.push_back(learner("b", dropped(*a, "0"), 3));
  learners.push_back(learner("a", trained("ia3"), 2));
  learners.push_back(learner("c", nullptr, 2));
  SharedWork work = expect_parallel(learners);
  EXPECT_EQ(6 * work.computed, 5 * work.alone);  // 2 and 3 of 3 and 3
}

TEST_P(SeveralAdapters, AnswerTheRowsThatNameThem) {
  std::vector<NamedLearner> learners;
  learners.push_back(learner("a", trained("lora[r=4]"), 2));
  learners.push_back(learner("b", trained("full"), 3));
  learners.push_back(learner("c", trained("prompt_tuning[num_virtual_tokens=2]"), 4));
  std::vector<std::size_t> choice{2, 0, 1, 1, 0, 2, 0};
  Context context(DType::kF32);
  auto outputs = predict_by_row(context, learners, choice, examples_, {});
  for (std::size_t i = 0; i < kExamples; ++i) {
    EXPECT_EQ(outputs[i].example, examples_[i]);
    EXPECT_EQ(outputs[i].values, alone(learners[choice[i]])[i].values) << "example " << i;
  }
}

// Segments of a batch may differ in where their virtual tokens stand.
TEST_P(SeveralAdapters, SetVirtualTokensInTheirOwnPlaces) {
  std::vector<NamedLearner> learners;
  learners.push_back(
      learner("a", trained("prompt_tuning[num_virtual_tokens=2,placement=inputs_embeds]"), 2));
  learners.push_back(learner("b", trained("prompt_tuning[num_virtual_tokens=3]"), 2));
  expect_parallel(learners);
}

std::vector<std::string> families() {
  std::vector<std::string> names;
  for (const Family* family : text_families()) names.push_back(family->name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Families, SeveralAdapters, testing::ValuesIn(families()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace inlay
