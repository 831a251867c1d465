// Where IA3 scales: PEFT's and the paper's place, not AdapterHub's.
#include <gtest/gtest.h>

#include "adapters/storage.h"
#include "autograd/gradient_check.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "models/model.h"

namespace inlay {
namespace {

std::shared_ptr<const Model> tiny_bert() {
  return load_model(source_dir() / "tests/golden/models/bert-single-label");
}

// W_down (l * f(W_up x)): the vector belongs to what the down projection reads, and the layer
// before the activation is left alone; what is after it is not scaled, either.
TEST(Ia3, Trap22ScalesAfterTheActivation) {
  auto model = tiny_bert();
  auto adapter = Adapter::create("scaled", parse_method("ia3"), model->facts(), 1);
  int64_t down = 0;
  for (Adapter::Entry& entry : adapter->entries()) {
    const Site& site = *entry.site;
    EXPECT_NE(site.role, SiteRole::kUp) << site.name;
    EXPECT_NE(site.role, SiteRole::kAttentionOutput) << site.name;
    if (site.role != SiteRole::kDown) continue;
    ++down;
    EXPECT_EQ(entry.parameter.shape(), Shape({1, site.in}));
    Tensor factors = Tensor::empty({1, site.in}, DType::kF32);
    std::fill_n(factors.mutable_data<float>(), site.in, 3.0f);
    entry.parameter.set_value(factors);
    Context context(DType::kF32);
    context.begin_forward();
    RowSpace rows = make_row_space({1});
    Tensor ones = Tensor::empty({1, site.in}, DType::kF32);
    std::fill_n(ones.mutable_data<float>(), site.in, -1.0f);
    Variable x = context.tape.constant(ones, &rows);
    Variable read = adapter->at(site.index)->input(context, x);
    ASSERT_TRUE(read.defined());
    for (int64_t i = 0; i < site.in; ++i) EXPECT_EQ(read.value().data<float>()[i], -3.0f);
  }
  EXPECT_EQ(down, model->facts().layers);
}

TEST(Ia3, Trap22AdapterHubsVectorBeforeTheActivationIsNotConverted) {
  auto model = tiny_bert();
  std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "trap22_ia3";
  std::filesystem::create_directories(folder);
  Json config{{"name", "scaled"},
              {"version", "adapters.1.2.0"},
              {"model_type", "bert"},
              {"hidden_size", model->facts().hidden},
              {"config",
               {{"architecture", "lora"},
                {"composition_mode", "scale"},
                {"intermediate_lora", true},
                {"init_weights", "ia3"}}}};
  write_file_atomically(folder / "adapter_config.json", config.dump());
  EXPECT_THROW(load_adapter(folder, model->facts()), Error);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace inlay
