// A tiny language model whose tokens are words: "t0" to "t95", of which t1 ends a text, and pads
// it.
#pragma once

#include <filesystem>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "base/source_dir.h"

namespace inlay {

inline constexpr int32_t kWordEos = 1;

// Makes the folder.
inline void write_word_model(const std::filesystem::path& folder) {
  std::filesystem::path golden = source_dir() / "tests/golden/models/llama-tied-causal-lm";
  std::filesystem::create_directories(folder);
  for (const char* name : {"config.json", "model.safetensors"})
    std::filesystem::copy_file(golden / name, folder / name);
  Json vocabulary = Json::object();
  for (int64_t id = 0; id < 96; ++id) vocabulary["t" + std::to_string(id)] = id;
  Json ends{{"id", kWordEos},  {"content", "t1"},     {"single_word", false}, {"lstrip", false},
            {"rstrip", false}, {"normalized", false}, {"special", true}};
  Json json{{"version", "1.0"},
            {"added_tokens", {ends}},
            {"pre_tokenizer", {{"type", "Whitespace"}}},
            {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "t0"}}}};
  write_file_atomically(folder / "tokenizer.json", json.dump());
  write_file_atomically(folder / "tokenizer_config.json",
                        Json{{"eos_token", "t1"}, {"pad_token", "t1"}}.dump());
}

}  // namespace inlay
