#include "hub/repository.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "formats/safetensors.h"
#include "hub/fake_hub.h"
#include "hub/pulled_folder.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCommit = "0123456789012345678901234567890123456789";

// A Hub with one repository, org/model, whose weights lie on another host (another port) as on the
// real one.
class RepositoryTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(home_);
    std::vector<float> values(5000, 0.5f);
    NamedTensor weight{"w", Tensor::of<float>({5000}, values)};
    write_safetensors(home_ / "made", std::span(&weight, 1));
    files_["config.json"] = R"({"model_type":"bert"})";
    files_["model.safetensors"] = read_file(home_ / "made");
    files_["onnx/model.onnx"] = "not wanted";
    fs::remove_all(home_);
  }
  void TearDown() override { fs::remove_all(home_); }

  FakeReply hub(const FakeRequest& request) {
    if (request.path == "/api/models/org/model")
      return {.headers = {}, .body = listing(), .send_only = {}};
    const std::string prefix = std::string("/org/model/resolve/") + kCommit + "/";
    if (request.path.rfind(prefix, 0) != 0)
      return {.status = 404, .headers = {}, .body = "no", .send_only = {}};
    std::string file = request.path.substr(prefix.size());
    if (file.find(".safetensors") == file.npos || file.find(".json") != file.npos) {
      return {
          .headers = {"ETag: \"686897696a7c876b7e\""}, .body = files_.at(file), .send_only = {}};
    }
    std::string hash = linked_hash_.empty() ? hex(sha256(files_.at(file))) : linked_hash_;
    return {.status = 302,
            .headers = {"Location: " + storage_.url() + "/blob/" + file,
                        "X-Linked-ETag: \"" + hash + "\"",
                        "X-Linked-Size: " + std::to_string(files_.at(file).size())},
            .body = "",
            .send_only = {}};
  }

  FakeReply storage(const FakeRequest& request) {
    const std::string& whole = files_.at(request.path.substr(6));
    std::size_t first = ignores_ranges_ ? 0 : request.first_byte();
    FakeReply reply{.headers = {}, .body = whole.substr(first), .send_only = {}};
    if (first > 0) {
      reply.status = 206;
      reply.headers = {"Content-Range: bytes " + std::to_string(first) + "-" +
                       std::to_string(whole.size() - 1) + "/" + std::to_string(whole.size())};
    }
    if (broken_answers_ > 0) {
      --broken_answers_;
      reply.send_only = bytes_of_broken_;
    }
    return reply;
  }

  std::string listing() const {
    std::string siblings;
    for (const auto& [name, bytes] : files_) {
      siblings += (siblings.empty() ? "" : ",") + ("{\"rfilename\":\"" + name + "\"}");
    }
    return std::string("{\"sha\":\"") + kCommit + "\",\"siblings\":[" + siblings + "]}";
  }

  PullOptions options() {
    return {.home = home_, .endpoint = hub_.url(), .token = token_, .progress = progress_};
  }
  fs::path target() const { return home_ / "hub/org/model"; }

  // Pulls, expects an error with `part` in its message, and that no folder appeared.
  void expect_error(const std::string& part) {
    try {
      pull("org/model", options());
      ADD_FAILURE() << "pulled; expected: " << part;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
    EXPECT_FALSE(fs::exists(target()));
  }
  std::vector<std::string> left_over() const {
    std::vector<std::string> names;
    if (!fs::exists(home_)) return names;
    for (const auto& item : fs::recursive_directory_iterator(home_)) {
      if (item.is_regular_file() && item.path().filename() != "lock")
        names.push_back(item.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  fs::path home_ = fs::path(testing::TempDir()) / "inlay_repository_test";
  std::map<std::string, std::string> files_;
  std::string token_, linked_hash_;
  DownloadProgress progress_;
  std::atomic<int> broken_answers_{0};
  std::size_t bytes_of_broken_ = 1000;
  bool ignores_ranges_ = false;
  FakeHub storage_{[this](const FakeRequest& request) { return storage(request); }};
  FakeHub hub_{[this](const FakeRequest& request) { return hub(request); }};
};

TEST_F(RepositoryTest, PullsTheWantedFilesAndRecordsTheirSource) {
  EXPECT_EQ(find_pulled("org/model", home_), std::nullopt);
  EXPECT_EQ(pull("org/model", options()), target());
  EXPECT_EQ(left_over(),
            (std::vector<std::string>{"config.json", "model.safetensors", "source.json"}));
  EXPECT_EQ(read_file(target() / "model.safetensors"), files_["model.safetensors"]);
  Source source = read_source(target());
  EXPECT_EQ(source.version, kCommit);
  EXPECT_EQ(source.files.at("config.json"), hex(sha256(files_["config.json"])));
  EXPECT_EQ(find_pulled("org/model", home_), target());
}

TEST_F(RepositoryTest, AnIntactFolderIsNotFetchedAgainAndADamagedOneIs) {
  pull("org/model", options());
  std::size_t asked = hub_.requests().size();
  pull("org/model", options());
  EXPECT_EQ(hub_.requests().size(), asked);
  write_file_atomically(target() / "config.json", std::string_view("damaged"));
  pull("org/model", options());
  EXPECT_EQ(read_file(target() / "config.json"), files_["config.json"]);
}

TEST_F(RepositoryTest, TheTokenGoesToTheHubAndNowhereElse) {
  token_ = "hf_secret";
  pull("org/model", options());
  for (const FakeRequest& request : hub_.requests())
    EXPECT_EQ(request.headers.at("authorization"), "Bearer hf_secret");
  ASSERT_EQ(storage_.requests().size(), 1u);
  EXPECT_FALSE(storage_.requests()[0].has("authorization"));
}

TEST_F(RepositoryTest, ATruncatedBodyIsResumedWhereItBrokeOff) {
  broken_answers_ = 2;
  pull("org/model", options());
  ASSERT_EQ(storage_.requests().size(), 3u);
  EXPECT_EQ(storage_.requests()[1].first_byte(), 1000u);
  EXPECT_EQ(storage_.requests()[2].first_byte(), 2000u);
  EXPECT_EQ(read_file(target() / "model.safetensors"), files_["model.safetensors"]);
}

TEST_F(RepositoryTest, AServerWithoutRangesIsReadFromTheStart) {
  broken_answers_ = 1;
  ignores_ranges_ = true;
  pull("org/model", options());
  EXPECT_EQ(storage_.requests().size(), 2u);
  EXPECT_EQ(read_file(target() / "model.safetensors"), files_["model.safetensors"]);
}

TEST_F(RepositoryTest, AnInterruptedPullGoesOnInTheNextCall) {
  struct Stop {};
  broken_answers_ = 1;
  progress_ = [](const std::string& file, uint64_t done, uint64_t) {
    if (file == "org/model/model.safetensors" && done >= 1000) throw Stop();
  };
  EXPECT_THROW(pull("org/model", options()), Stop);
  EXPECT_EQ(left_over(), (std::vector<std::string>{"config.json", "model.safetensors.part"}));
  progress_ = nullptr;
  pull("org/model", options());
  EXPECT_EQ(storage_.requests().back().first_byte(), 1000u);
  EXPECT_EQ(left_over(),
            (std::vector<std::string>{"config.json", "model.safetensors", "source.json"}));
}

TEST_F(RepositoryTest, AWrongHashRemovesTheDownload) {
  linked_hash_ = std::string(64, 'a');
  expect_error("expected " + linked_hash_ + "; the download was removed");
  EXPECT_EQ(left_over(), (std::vector<std::string>{"config.json"})) << "in the staging folder";
}

TEST_F(RepositoryTest, AWrongPartFromBeforeCostsAFreshStartOnly) {
  write_file_atomically(home_ / "partial/hub/org/model" / kCommit / "model.safetensors.part",
                        std::string(700, 'x'));
  pull("org/model", options());
  EXPECT_EQ(storage_.requests().size(), 2u);
  EXPECT_EQ(read_file(target() / "model.safetensors"), files_["model.safetensors"]);
}

TEST_F(RepositoryTest, AServerThatBringsNothingIsGivenUpAfterFiveAttempts) {
  broken_answers_ = 1000;
  bytes_of_broken_ = 0;
  expect_error("gave up after 5 attempts");
  EXPECT_EQ(storage_.requests().size(), 5u);
}

TEST_F(RepositoryTest, NamesThatLeadOutOfTheFolderAreRefused) {
  for (const char* name : {"../evil.json", "a/../../evil", "/etc/evil", "..\\\\evil"}) {
    files_[name] = "x";
    expect_error("leads out of its folder; nothing was pulled");
    files_.erase(name);
  }
  EXPECT_TRUE(left_over().empty());
}

TEST_F(RepositoryTest, ErrorsSayWhatToDo) {
  files_.erase("model.safetensors");
  expect_error("has no .safetensors weights");
  EXPECT_THROW(pull("org/", options()), Error);
  EXPECT_THROW(pull("org/../x", options()), Error);
  try {
    pull("org/absent", options());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "org/absent: not found (404); check the owner, the name and the spelling");
  }
  FakeHub closed([](const FakeRequest&) {
    return FakeReply{.status = 401, .headers = {}, .body = "", .send_only = {}};
  });
  try {
    pull("org/model", {.home = home_, .endpoint = closed.url(), .token = "", .progress = {}});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("access denied (401)"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("HF_TOKEN"), std::string::npos);
  }
}

TEST_F(RepositoryTest, AMissingShardIsFoundBeforeAnythingAppears) {
  files_.erase("model.safetensors");
  files_["model.safetensors.index.json"] =
      R"({"weight_map":{"w":"model-00001-of-00002.safetensors"}})";
  files_["model-00002-of-00002.safetensors"] = std::string("\x02\0\0\0\0\0\0\0{}", 10);
  expect_error("shard model-00001-of-00002.safetensors is missing");
  EXPECT_TRUE(left_over().empty());
}

TEST_F(RepositoryTest, TwoPullsOfOneThingDoNotMix) {
  Staging first(home_, "hub/org/model", kCommit);
  expect_error("hub/org/model is being pulled by another process");
}

TEST(WantedFiles, TakesOneFormOfTheWeightsOnly) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(
      wanted_files(
          {"model.safetensors", "consolidated.safetensors", "pytorch_model.bin", "vocab.txt"}, "r"),
      (Names{"model.safetensors", "vocab.txt"}));
  EXPECT_EQ(
      wanted_files(
          {"model-1.safetensors", "model.safetensors.index.json", "consolidated.safetensors"}, "r"),
      (Names{"model-1.safetensors", "model.safetensors.index.json"}));
  EXPECT_EQ(wanted_files(
                {"adapter_config.json", "adapter_model.safetensors", "a/model.safetensors"}, "r"),
            (Names{"adapter_config.json", "adapter_model.safetensors"}));
}

TEST(HttpGet, RefusesOtherSchemesAndEndlessRedirects) {
  FakeHub loop([](const FakeRequest&) {
    return FakeReply{.status = 302, .headers = {"Location: /again"}, .body = "", .send_only = {}};
  });
  Download download{.what = "x", .url = loop.url(), .token = "", .max_bytes = 10, .progress = {}};
  EXPECT_THROW(download_text(download), Error);
  EXPECT_EQ(loop.requests().size(), 11u);
  FakeHub file([](const FakeRequest&) {
    return FakeReply{
        .status = 302, .headers = {"Location: file:///etc/passwd"}, .body = "", .send_only = {}};
  });
  download.url = file.url();
  EXPECT_THROW(download_text(download), Error);
  EXPECT_EQ(file.requests().size(), 1u);
}

}  // namespace
}  // namespace inlay
