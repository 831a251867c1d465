#include "adapters/adapter.h"

#include "base/random.h"

namespace inlay {
namespace {

class Maker : public ParameterMaker {
 public:
  Maker(std::deque<Adapter::Entry>& entries, std::deque<DerivedParameter>& derived,
        const std::vector<const Site*>& sites, const BaseFacts& base, uint64_t seed)
      : entries_(entries), derived_(derived), sites_(sites), base_(base), seed_(seed) {}

  Parameter& make(const Site& site, const std::string& part, Tensor value) override {
    return add(&site, part, full_name(site, part), std::move(value), true);
  }
  Parameter& moved(const Site& site, const std::string& part, Tensor value) override {
    Parameter& parameter = make(site, part, std::move(value));
    parameter.freeze();
    return parameter;
  }
  Parameter& fixed(const Site& site, const std::string& part, Tensor value) override {
    return add(&site, part, full_name(site, part), std::move(value), false);
  }
  Parameter& shared(const std::string& name, const Start& start) override {
    return once(name, start, true);
  }
  Parameter& shared_fixed(const std::string& name, const Start& start) override {
    return once(name, start, false);
  }
  DerivedParameter& derive(const std::string& name, std::vector<Parameter*> sources,
                           DerivedParameter::Compute compute,
                           DerivedParameter::Pull pull) override {
    return derived_.emplace_back(name, std::move(sources), std::move(compute), std::move(pull));
  }
  DerivedParameter& derive_shared(const std::string& name, std::vector<Parameter*> sources,
                                  DerivedParameter::Compute compute,
                                  DerivedParameter::Pull pull) override {
    DerivedParameter*& known = shared_derived_[name];
    if (known == nullptr)
      known = &derive(name, std::move(sources), std::move(compute), std::move(pull));
    return *known;
  }
  const std::vector<const Site*>& sites() const override { return sites_; }
  const BaseFacts& base() const override { return base_; }

  Stream stream(const Site& site, const std::string& part) const override {
    return Stream(seed_, "init/" + full_name(site, part));
  }

 private:
  static std::string full_name(const Site& site, const std::string& part) {
    return part.empty() ? site.name : site.name + "." + part;
  }

  Parameter& add(const Site* site, const std::string& part, std::string name, Tensor value,
                 bool trained) {
    ensure(value.dtype() == DType::kF32 || !trained, "a trained parameter {} in {}", name,
           dtype_name(value.dtype()));
    Parameter& parameter =
        entries_
            .emplace_back(
                Adapter::Entry{site, part, trained, Parameter(std::move(name), std::move(value))})
            .parameter;
    if (!trained) parameter.freeze();
    return parameter;
  }

  Parameter& once(const std::string& name, const Start& start, bool trained) {
    Parameter*& known = shared_[name];
    if (known == nullptr) {
      known = &add(nullptr, name, name, start(Stream(seed_, "init/" + name)), trained);
    }
    return *known;
  }

  std::deque<Adapter::Entry>& entries_;
  std::deque<DerivedParameter>& derived_;
  const std::vector<const Site*>& sites_;
  const BaseFacts& base_;
  uint64_t seed_;
  std::map<std::string, Parameter*> shared_;
  std::map<std::string, DerivedParameter*> shared_derived_;
};

}  // namespace

std::unique_ptr<Adapter> Adapter::create(std::string name, ConfiguredMethod method,
                                         const BaseFacts& base, uint64_t seed) {
  std::unique_ptr<Adapter> adapter(new Adapter(std::move(name), std::move(method), seed));
  adapter->method().settle(base);
  adapter->sites_ = adapter->method().select(base);
  adapter->hooks_.resize(base.sites.size());
  Maker maker(adapter->entries_, adapter->derived_, adapter->sites_, base, seed);
  for (const Site* site : adapter->sites_)
    adapter->hooks_[site->index] = adapter->method().attach(*site, maker);
  return adapter;
}

std::unique_ptr<Adapter> Adapter::create(const Adapter& like, AdapterForm form,
                                         const BaseFacts& base) {
  return create(like.name_, {like.method_.info, std::move(form.method)}, base, like.seed_,
                std::move(form.values));
}

std::unique_ptr<Adapter> Adapter::create(std::string name, ConfiguredMethod method,
                                         const BaseFacts& base, uint64_t seed,
                                         std::map<std::string, Tensor> values) {
  std::unique_ptr<Adapter> adapter = create(std::move(name), std::move(method), base, seed);
  for (Entry& entry : adapter->entries_) {
    auto found = values.find(entry.parameter.name());
    if (found == values.end()) continue;
    entry.parameter.set_value(std::move(found->second));
    values.erase(found);
  }
  ensure(values.empty(), "{} has no tensor {}", adapter->info().name,
         values.empty() ? "" : values.begin()->first);
  return adapter;
}

std::string Adapter::method_text() const { return inlay::method_text(method_); }

std::unique_ptr<Adapter> Adapter::finished(const BaseFacts& base) const {
  AdapterForm form = method_.method->finished(*this);
  return form.method == nullptr ? nullptr : create(*this, std::move(form), base);
}

Json Adapter::config() const {
  return fields_to_json([this](FieldVisitor& visit) { method_.method->fields(visit); });
}

int64_t Adapter::parameter_count() const {
  int64_t count = 0;
  for (const Entry& entry : entries_) {
    if (entry.trained) count += entry.parameter.value().count();
  }
  return count;
}

void Adapter::convert(DType dtype) {
  for (Entry& entry : entries_) {
    bool number = entry.parameter.value().dtype() == DType::kF32 ||
                  entry.parameter.value().dtype() == DType::kF64;
    if (number) entry.parameter.convert(dtype);
  }
}

}  // namespace inlay
