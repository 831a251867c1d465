#include "adapters/adapter.h"

#include "base/random.h"

namespace inlay {
namespace {

class Maker : public ParameterMaker {
 public:
  Maker(std::deque<Adapter::Entry>& entries, uint64_t seed) : entries_(entries), seed_(seed) {}

  Parameter& make(const Site& site, const std::string& part, Tensor value) override {
    ensure(value.dtype() == DType::kF32, "a parameter of {} in {}", site.name,
           dtype_name(value.dtype()));
    return entries_
        .emplace_back(
            Adapter::Entry{&site, part, Parameter(full_name(site, part), std::move(value))})
        .parameter;
  }

  Stream stream(const Site& site, const std::string& part) const override {
    return Stream(seed_, "init/" + full_name(site, part));
  }

 private:
  static std::string full_name(const Site& site, const std::string& part) {
    return part.empty() ? site.name : site.name + "." + part;
  }

  std::deque<Adapter::Entry>& entries_;
  uint64_t seed_;
};

}  // namespace

std::unique_ptr<Adapter> Adapter::create(std::string name, ConfiguredMethod method,
                                         const BaseFacts& base, uint64_t seed) {
  std::unique_ptr<Adapter> adapter(new Adapter(std::move(name), std::move(method)));
  adapter->sites_ = adapter->method().select(base);
  adapter->hooks_.resize(base.sites.size());
  Maker maker(adapter->entries_, seed);
  for (const Site* site : adapter->sites_)
    adapter->hooks_[site->index] = adapter->method().attach(*site, maker);
  return adapter;
}

Json Adapter::config() const {
  return fields_to_json([this](FieldVisitor& visit) { method_.method->fields(visit); });
}

int64_t Adapter::parameter_count() const {
  int64_t count = 0;
  for (const Entry& entry : entries_) count += entry.parameter.value().count();
  return count;
}

}  // namespace inlay
