#include "adapters/block_sites.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/error.h"

namespace inlay {
namespace {

// A norm, both blocks of a layer, and what the layer gives.
class BlockSites : public testing::Test {
 protected:
  BlockSites() {
    base_.model_type = "vit";
    sites_.push_back({.name = "norm", .kind = SiteKind::kNorm});
    for (SiteRole role :
         {SiteRole::kAttentionBlock, SiteRole::kFeedForwardBlock, SiteRole::kLayerOutput})
      sites_.push_back(
          {.name = std::string(site_role_name(role)), .kind = SiteKind::kHidden, .role = role});
    for (const Site& site : sites_) base_.sites.push_back(&site);
  }

  template <class Call>
  static std::string refusal(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }

  BaseFacts base_;
  std::deque<Site> sites_;
};

TEST_F(BlockSites, AreThoseOfTheRolesInOrder) {
  auto found =
      block_sites(base_, {SiteRole::kFeedForwardBlock, SiteRole::kAttentionBlock}, "convpass");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]->role, SiteRole::kAttentionBlock);
  EXPECT_EQ(found[1]->role, SiteRole::kFeedForwardBlock);
}

TEST_F(BlockSites, ABaseWithoutThemIsRefusedByName) {
  base_.sites.resize(1);
  base_.model_type = "resnet";
  std::string text = refusal([&] { block_sites(base_, {SiteRole::kFeedForwardBlock}, "mona"); });
  EXPECT_NE(text.find("mona: this resnet base has no blocks"), text.npos) << text;
}

TEST_F(BlockSites, ABaseOfTextsIsRefusedWithAnotherMethod) {
  base_.images = true;
  EXPECT_NO_THROW(require_images(base_, "vpt", "prompt_tuning"));
  base_.images = false;
  base_.model_type = "bert";
  std::string text = refusal([&] { require_images(base_, "vpt", "prompt_tuning"); });
  EXPECT_NE(text.find("this bert base reads texts"), text.npos) << text;
  EXPECT_NE(text.find("prompt_tuning"), text.npos) << text;
}

}  // namespace
}  // namespace inlay
