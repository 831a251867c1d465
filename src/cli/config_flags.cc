#include "cli/config_flags.h"

#include <algorithm>

namespace inlay::cli {
namespace {

class FlagVisitor : public FieldVisitor {
 public:
  explicit FlagVisitor(CLI::App& command) : command_(command) {}

  void operator()(std::string_view name, int64_t& value, std::string_view help) override {
    add(name, value, help);
  }
  void operator()(std::string_view name, double& value, std::string_view help) override {
    add(name, value, help);
  }
  void operator()(std::string_view name, std::string& value, std::string_view help) override {
    add(name, value, help);
  }
  void operator()(std::string_view name, bool& value, std::string_view help) override {
    command_.add_flag(flag(name), value, std::string(help));
  }
  void operator()(std::string_view name, std::optional<std::string>& value,
                  std::string_view help) override {
    command_.add_option(flag(name), value, std::string(help));
  }
  void operator()(std::string_view name, std::vector<std::string>& value,
                  std::string_view help) override {
    command_.add_option(flag(name), value, std::string(help))->delimiter(',');
  }
  void operator()(std::string_view, std::map<std::string, double>&, std::string_view) override {}
  void choice(std::string_view name, std::string& value, const std::vector<std::string>& choices,
              std::string_view help) override {
    command_.add_option(flag(name), value, std::string(help))
        ->check(CLI::IsMember(choices))
        ->capture_default_str();
  }

 private:
  static std::string flag(std::string_view name) {
    std::string text(name);
    std::replace(text.begin(), text.end(), '_', '-');
    return "--" + text;
  }
  template <class T>
  void add(std::string_view name, T& value, std::string_view help) {
    command_.add_option(flag(name), value, std::string(help))->capture_default_str();
  }

  CLI::App& command_;
};

}  // namespace

void add_flags(CLI::App& command, const Fields& fields) {
  FlagVisitor visitor(command);
  fields(visitor);
}

}  // namespace inlay::cli
