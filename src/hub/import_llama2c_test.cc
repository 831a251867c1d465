#include "hub/import_llama2c.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

Json tokenizer_of(int tokens) {
  Json vocab = Json::object();
  for (int id = 0; id < tokens; ++id) vocab["t" + std::to_string(id)] = id;
  return {{"model", {{"type", "BPE"}, {"vocab", vocab}}}};
}

// Two layers, two heads of four channels, one for keys and values, six feed-forward channels, five
// tokens, three positions.
struct TinyFile {
  std::vector<int32_t> header = {8, 6, 2, 2, 1, 5, 3};
  std::size_t values = 5 * 8 + 2 * (8 + 64 + 32 + 32 + 64 + 8 + 48 + 48 + 48) + 8 + 3 * 4;
  std::function<float(std::size_t)> value = [](std::size_t i) { return static_cast<float>(i); };

  std::string bytes() const {
    std::string bytes(reinterpret_cast<const char*>(header.data()), header.size() * 4);
    for (std::size_t i = 0; i < values; ++i) {
      const float number = value(i);
      bytes.append(reinterpret_cast<const char*>(&number), 4);
    }
    return bytes;
  }
};

class Llama2cTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  Llama2cImport import(const std::string& bytes, int tokens = 5) {
    write_file_atomically(folder_ / "model.bin", bytes);
    return import_llama2c(folder_ / "model.bin", tokenizer_of(tokens), folder_ / "out");
  }
  std::vector<float> tensor(const std::string& name) {
    Tensor found = SafetensorsFile::open(folder_ / "out/model.safetensors").tensor(name);
    return {found.data<float>(), found.data<float>() + found.count()};
  }
  void expect_error(const std::string& bytes, const std::string& part, int tokens = 5) {
    try {
      import(bytes, tokens);
      ADD_FAILURE() << "no error; expected: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("model.bin"), std::string::npos) << error.what();
    }
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    EXPECT_FALSE(fs::exists(folder_ / ".out.partial"));
  }

  fs::path folder_ = fs::temp_directory_path() / fmt::format("inlay_llama2c_{}", ::getpid());
};

std::vector<float> from_to(int first, int end) {
  std::vector<float> values;
  for (int i = first; i < end; ++i) values.push_back(static_cast<float>(i));
  return values;
}

// Value i of the file is i, so that each tensor tells where it came from.
TEST_F(Llama2cTest, PutsEveryValueIntoItsPlace) {
  const Llama2cImport done = import(TinyFile{}.bytes());
  EXPECT_EQ(done.tensors, 2 + 2 * 9u);
  EXPECT_EQ(done.parameters, 5 * 8 + 2 * 352 + 8);
  EXPECT_EQ(tensor("model.embed_tokens.weight"), from_to(0, 40));
  EXPECT_EQ(tensor("model.layers.0.input_layernorm.weight"), from_to(40, 48));
  EXPECT_EQ(tensor("model.layers.1.input_layernorm.weight"), from_to(48, 56));
  // Behind wq (2 x 64 from 56) and wk (2 x 32 from 184):
  EXPECT_EQ(tensor("model.layers.0.self_attn.v_proj.weight"), from_to(248, 280));
  EXPECT_EQ(tensor("model.layers.1.self_attn.v_proj.weight"), from_to(280, 312));
  EXPECT_EQ(tensor("model.layers.1.self_attn.o_proj.weight"), from_to(376, 440));
  EXPECT_EQ(tensor("model.layers.0.post_attention_layernorm.weight"), from_to(440, 448));
  EXPECT_EQ(tensor("model.layers.0.mlp.gate_proj.weight"), from_to(456, 504));
  EXPECT_EQ(tensor("model.layers.0.mlp.down_proj.weight"), from_to(552, 600));
  EXPECT_EQ(tensor("model.layers.1.mlp.up_proj.weight"), from_to(696, 744));
  EXPECT_EQ(tensor("model.norm.weight"), from_to(744, 752));
  // Rows 0 2 1 3 of each head of four channels.
  std::vector<float> query = tensor("model.layers.0.self_attn.q_proj.weight");
  for (int row : {0, 2, 1, 3, 4, 6, 5, 7}) {
    EXPECT_EQ(std::vector<float>(query.begin(), query.begin() + 8),
              from_to(56 + 8 * row, 64 + 8 * row));
    query.erase(query.begin(), query.begin() + 8);
  }
  EXPECT_EQ(tensor("model.layers.1.self_attn.k_proj.weight")[8], 216 + 16);
}

TEST_F(Llama2cTest, WritesAFolderOfHuggingFace) {
  import(TinyFile{}.bytes());
  const Json config = read_json(folder_ / "out/config.json");
  const Json expected{{"architectures", Json::array({"LlamaForCausalLM"})},
                      {"head_dim", 4},
                      {"hidden_act", "silu"},
                      {"hidden_size", 8},
                      {"intermediate_size", 6},
                      {"max_position_embeddings", 3},
                      {"model_type", "llama"},
                      {"num_attention_heads", 2},
                      {"num_hidden_layers", 2},
                      {"num_key_value_heads", 1},
                      {"rms_norm_eps", 1e-5},
                      {"rope_theta", 10000.0},
                      {"tie_word_embeddings", true},
                      {"vocab_size", 5}};
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(config.at(key), value) << key;
  EXPECT_EQ(read_json(folder_ / "out/tokenizer.json"), tokenizer_of(5));
  EXPECT_EQ(read_json(folder_ / "out/tokenizer_config.json").at("bos_token"), "<s>");
  EXPECT_EQ(read_json(folder_ / "out/generation_config.json").at("eos_token_id"), Json({1, 2}));
  const SafetensorsFile file = SafetensorsFile::open(folder_ / "out/model.safetensors");
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(file.tensor("model.layers.0.mlp.down_proj.weight").shape(), Shape({8, 6}));
  EXPECT_EQ(file.tensor("model.layers.0.self_attn.k_proj.weight").shape(), Shape({4, 8}));
}

TEST_F(Llama2cTest, ANegativeVocabularyHasItsOwnOutputMatrix) {
  TinyFile file;
  file.header[5] = -5;
  file.values += 40;
  EXPECT_EQ(import(file.bytes()).tensors, 3 + 2 * 9u);
  EXPECT_EQ(tensor("lm_head.weight"), from_to(764, 804));  // behind 12 values of the tables
  EXPECT_EQ(read_json(folder_ / "out/config.json").at("tie_word_embeddings"), false);
}

using Complex = std::complex<double>;

// W x of rows [first, first + 4), one head.
std::vector<double> head_of(const std::vector<float>& w, int first, const std::vector<double>& x) {
  std::vector<double> y(4);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 8; ++j)
      y[i] += w[(static_cast<std::size_t>(first) + i) * 8 + j] * x[j];
  }
  return y;
}

double angle(int position, int pair) { return position / std::pow(10000.0, pair / 2.0); }

// Su et al. 2021, eq. 12: neighbouring channels are a complex number, turned by the position.
double score_of_pairs(const std::vector<double>& q, int m, const std::vector<double>& k, int n) {
  Complex sum = 0;
  for (int i = 0; i < 2; ++i) {
    const auto at = static_cast<std::size_t>(2 * i);
    sum += Complex(q[at], q[at + 1]) * std::polar(1.0, angle(m, i)) *
           std::conj(Complex(k[at], k[at + 1]) * std::polar(1.0, angle(n, i)));
  }
  return sum.real();
}

// As Hugging Face's Llama turns: x cos + rotate_half(x) sin.
std::vector<double> turned_halves(const std::vector<double>& x, int position) {
  std::vector<double> y(4);
  for (int i = 0; i < 2; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double c = std::cos(angle(position, i)), s = std::sin(angle(position, i));
    y[at] = x[at] * c - x[at + 2] * s;
    y[at + 2] = x[at + 2] * c + x[at] * s;
  }
  return y;
}

TEST_F(Llama2cTest, AttentionScoresStayWhatTheyWere) {
  const Stream stream(5, "weights");
  TinyFile file{.value = [&](std::size_t i) { return stream.normal(i); }};
  import(file.bytes());
  std::vector<float> wq, wk;
  for (std::size_t i = 0; i < 64; ++i) wq.push_back(file.value(56 + 64 + i));  // of layer 1
  for (std::size_t i = 0; i < 32; ++i) wk.push_back(file.value(184 + 32 + i));
  const std::vector<float> hf_q = tensor("model.layers.1.self_attn.q_proj.weight"),
                           hf_k = tensor("model.layers.1.self_attn.k_proj.weight");
  std::vector<double> x(8), z(8);
  for (std::size_t i = 0; i < 8; ++i) {
    x[i] = stream.normal(5000 + i);
    z[i] = stream.normal(6000 + i);
  }
  for (int head : {0, 4}) {
    for (int m : {0, 1, 7}) {
      const std::vector<double> q = turned_halves(head_of(hf_q, head, x), m),
                                k = turned_halves(head_of(hf_k, 0, z), 3);
      const double found = q[0] * k[0] + q[1] * k[1] + q[2] * k[2] + q[3] * k[3];
      EXPECT_NEAR(found, score_of_pairs(head_of(wq, head, x), m, head_of(wk, 0, z), 3), 1e-12);
    }
  }
}

TEST_F(Llama2cTest, RefusesFilesThatAreCutOrLonger) {
  const std::string whole = TinyFile{}.bytes();
  expect_error("", "0 bytes; a model file of llama2.c has a header of 28");
  expect_error(whole.substr(0, 27), "27 bytes");
  for (std::size_t length : {std::size_t{28}, whole.size() - 4, whole.size() - 1})
    expect_error(whole.substr(0, length), fmt::format("{} bytes, where its header", length));
  expect_error(whole + "1234", fmt::format("makes {}; is the file whole?", whole.size()));
}

TEST_F(Llama2cTest, RefusesHeadersThatLie) {
  const std::vector<std::tuple<std::size_t, int32_t, const char*>> lies = {
      {0, 0, "dim is 0; expected 1 to 65536"},
      {0, INT32_MAX, "dim is 2147483647"},
      {0, 7, "2 heads for dim 7"},
      {0, 6, "heads of one even size"},
      {0, 0x616b3432, "version 1 or later"},
      {1, -1, "hidden_dim is -1"},
      {1, 1 << 18, "makes"},
      {2, 1001, "number of layers is 1001"},
      {3, 0, "number of heads is 0"},
      {4, 3, "key and value heads is 3; expected 1 to 2"},
      {5, 0, "vocabulary is 0"},
      {5, INT32_MIN, "vocabulary is 2147483648"},
      {5, -5, "makes"},
      {6, INT32_MIN, "positions is -2147483648"},
      {6, 4, "makes"}};
  for (const auto& [field, value, part] : lies) {
    TinyFile file;
    file.header[field] = value;
    expect_error(file.bytes(), part);
  }
  TinyFile three;
  three.header[3] = 4;
  three.header[4] = 3;
  expect_error(three.bytes(), "4 heads and 3 of keys and values");
}

TEST_F(Llama2cTest, RefusesTheTokenizerOfAnotherModel) {
  expect_error(TinyFile{}.bytes(), "the model has 5 tokens and the tokenizer 6", 6);
}

TEST_F(Llama2cTest, DoesNotTouchAFolderThatIsThere) {
  fs::create_directories(folder_ / "out");
  EXPECT_THROW(import(TinyFile{}.bytes()), Error);
  EXPECT_TRUE(fs::is_empty(folder_ / "out"));
}

// INLAY_TEST_DATA names a folder with stories260K.bin, a model that is not part of the project.
TEST_F(Llama2cTest, ReadsTheStoriesModel) {
  const char* data = std::getenv("INLAY_TEST_DATA");
  if (data == nullptr || !fs::exists(fs::path(data) / "stories260K.bin"))
    GTEST_SKIP() << "not run: INLAY_TEST_DATA names no folder with stories260K.bin";
  const Llama2cImport done =
      import_llama2c(fs::path(data) / "stories260K.bin", tokenizer_of(512), folder_ / "out");
  EXPECT_EQ(done.tensors, 47u);
  EXPECT_EQ(done.parameters,
            512 * 64 + 5 * (2 * 64 + 2 * 64 * 64 + 2 * 32 * 64 + 3 * 172 * 64) + 64);
  const Json config = read_json(folder_ / "out/config.json");
  EXPECT_EQ(config.at("num_attention_heads"), 8);
  EXPECT_EQ(config.at("num_key_value_heads"), 4);
  EXPECT_EQ(config.at("max_position_embeddings"), 512);
  // The mean of the 64 values that stand 4096 values of tables before the file's end.
  double sum = 0;
  for (float value : tensor("model.norm.weight")) sum += value;
  EXPECT_NEAR(sum / 64, 1.8117619, 1e-6);
}

}  // namespace
}  // namespace inlay
