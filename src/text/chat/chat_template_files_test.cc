#include "text/chat/chat_template_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class ChatTemplateFiles : public testing::Test {
 protected:
  ChatTemplateFiles() { fs::create_directories(folder_); }
  ~ChatTemplateFiles() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view text) {
    write_file_atomically(folder_ / name, text);
  }
  std::string rendered(const RenderOptions& options = {}) {
    return load_chat_template(folder_)->render(OrderedJson::array(), options).text;
  }
  std::string error() {
    try {
      load_chat_template(folder_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path folder_ = fs::temp_directory_path() / fmt::format("inlay-chat-{}", getpid());
};

TEST_F(ChatTemplateFiles, FindNothingInAFolderWithoutTemplate) {
  EXPECT_FALSE(load_chat_template(folder_).has_value());
  write("tokenizer_config.json", R"({"bos_token": "<s>", "chat_template": null})");
  EXPECT_FALSE(load_chat_template(folder_).has_value());
}

TEST_F(ChatTemplateFiles, ReadTheTemplateAndTokensOfTheConfiguration) {
  write("tokenizer_config.json", R"({"chat_template": "{{ bos_token }}{{ eos_token }}",
      "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}})");
  EXPECT_EQ(rendered(), "<s></s>");
  EXPECT_EQ(rendered({.eos_token = "!"}), "<s>!");
}

TEST_F(ChatTemplateFiles, PreferTheTemplatesOwnFile) {
  write("tokenizer_config.json", R"({"chat_template": "old", "pad_token": "<pad>"})");
  write("chat_template.jinja", "new {{ pad_token }}");
  EXPECT_EQ(rendered(), "new <pad>");
}

TEST_F(ChatTemplateFiles, FallBackToTheMapOfSpecialTokens) {
  write("chat_template.jinja", "{{ unk_token }}{{ bos_token is defined }}");
  write("special_tokens_map.json", R"({"unk_token": "<unk>"})");
  EXPECT_EQ(rendered(), "<unk>False");
}

TEST_F(ChatTemplateFiles, PickTheTemplateForTools) {
  write("tokenizer_config.json", R"({"chat_template": [
      {"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]})");
  RenderOptions with_tools;
  with_tools.tools = OrderedJson::array();
  EXPECT_EQ(rendered(), "plain");
  EXPECT_EQ(rendered(with_tools), "tools");
}

TEST_F(ChatTemplateFiles, NameWhatIsWrong) {
  write("tokenizer_config.json", R"({"chat_template": 5})");
  EXPECT_NE(error().find("chat_template is number; expected a string or a list"),
            std::string::npos);
  write("tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "x"}]})");
  EXPECT_NE(error().find("no template named \"default\""), std::string::npos);
  write("chat_template.jinja", "\n{% nope %}");
  EXPECT_NE(error().find("chat_template.jinja:2:4: the statement 'nope'"), std::string::npos);
}

}  // namespace
}  // namespace inlay
