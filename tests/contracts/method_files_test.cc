// Files of every adapter method on every family: they give the same bits back, replace older ones
// as a whole, and belong to one base.
#include <fstream>

#include "adapters/storage.h"
#include "method_contract.h"

namespace inlay {
namespace {

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

TEST_P(MethodContract, SavingReplacesAnOlderFolderAsAWhole) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "leftover") << "old";
  save();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "leftover"));
  EXPECT_NO_THROW(load_adapter(folder_, model_->facts()));
  std::string staging = "." + folder_.filename().string() + ".partial";
  EXPECT_FALSE(std::filesystem::exists(folder_.parent_path() / staging));
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

}  // namespace
}  // namespace inlay
