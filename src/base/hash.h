// SHA-256, for files, tensors and the identity of a base.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace inlay {

using Digest = std::array<unsigned char, 32>;

// Feed bytes, then ask for the digest once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::span<const std::byte> bytes);
Digest sha256(std::string_view text);
Digest sha256_file(const std::filesystem::path& path);

// Lower-case hexadecimal, 64 characters.
std::string hex(const Digest& digest);

}  // namespace inlay
