// One trained (or fresh) instance of a method on one base: its parameters, and the hooks that the
// base runs.
//
//   auto adapter = Adapter::create("reviews", parse_method("lora[r=8]"), model->facts(), seed);
//   context.adapters = {{.hooks = adapter.get()}};
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/method.h"

namespace inlay {

class Adapter : public SiteHooks {
 public:
  // Initial values come from streams of `seed`, one per tensor.
  static std::unique_ptr<Adapter> create(std::string name, ConfiguredMethod method,
                                         const BaseFacts& base, uint64_t seed);

  // With values for some of its tensors, by their full names. Fails (kInternal) where a value is
  // not one of its tensors or has another shape.
  static std::unique_ptr<Adapter> create(std::string name, ConfiguredMethod method,
                                         const BaseFacts& base, uint64_t seed,
                                         std::map<std::string, Tensor> values);
  // The same name, base and seed in another form: see AdapterForm.
  static std::unique_ptr<Adapter> create(const Adapter& like, AdapterForm form,
                                         const BaseFacts& base);
  // What is kept of it after training; null: the adapter itself.
  std::unique_ptr<Adapter> finished(const BaseFacts& base) const;

  SiteHook* at(std::size_t site_index) override { return hooks_[site_index].get(); }

  // A tensor of the adapter: parameter().name() is the site's name, a dot, and the part.
  // Fixed ones are saved and loaded, but never trained or counted.
  struct Entry {
    const Site* site;  // null: shared by all sites
    std::string part;  // "lora_A.weight"
    bool trained;
    Parameter parameter;
  };

  const std::string& name() const { return name_; }
  const MethodInfo& info() const { return *method_.info; }
  Method& method() const { return *method_.method; }
  Json config() const;              // the method's fields
  std::string method_text() const;  // as parse_method() reads it
  const std::vector<const Site*>& sites() const { return sites_; }
  std::deque<Entry>& entries() { return entries_; }
  // All values in another precision, for gradient checks.
  void convert(DType dtype);
  const std::deque<Entry>& entries() const { return entries_; }
  int64_t parameter_count() const;  // of the trained ones

 private:
  Adapter(std::string name, ConfiguredMethod method, uint64_t seed)
      : name_(std::move(name)), method_(std::move(method)), seed_(seed) {}

  std::string name_;
  ConfiguredMethod method_;
  uint64_t seed_;
  std::vector<const Site*> sites_;
  std::deque<Entry> entries_;  // hooks refer to the parameters: addresses never move
  std::deque<DerivedParameter> derived_;
  std::vector<std::unique_ptr<SiteHook>> hooks_;  // by site index
};

}  // namespace inlay
