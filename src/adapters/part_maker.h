// Makes the tensors of one method among several of an adapter, under a name of its own:
// "<site>.<part's name>.<part>". Those of a finished part are fixed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adapters/method.h"

namespace inlay {

class PartMaker : public ParameterMaker {
 public:
  PartMaker(ParameterMaker& whole, std::string part, std::vector<const Site*> sites,
            bool finished = false)
      : whole_(whole), part_(std::move(part)), sites_(std::move(sites)), finished_(finished) {}

  Parameter& make(const Site& site, const std::string& part, Tensor value) override {
    return finished_ ? fixed(site, part, std::move(value))
                     : whole_.make(site, named(part), std::move(value));
  }
  Parameter& moved(const Site& site, const std::string& part, Tensor value) override {
    return finished_ ? fixed(site, part, std::move(value))
                     : whole_.moved(site, named(part), std::move(value));
  }
  Parameter& fixed(const Site& site, const std::string& part, Tensor value) override {
    return whole_.fixed(site, named(part), std::move(value));
  }
  Parameter& shared(const std::string& name, const Start& start) override {
    return finished_ ? shared_fixed(name, start) : whole_.shared(named(name), start);
  }
  Parameter& shared_fixed(const std::string& name, const Start& start) override {
    return whole_.shared_fixed(named(name), start);
  }
  DerivedParameter& derive(const std::string& name, std::vector<Parameter*> sources,
                           DerivedParameter::Compute compute,
                           DerivedParameter::Pull pull) override {
    return whole_.derive(named(name), std::move(sources), std::move(compute), std::move(pull));
  }
  DerivedParameter& derive_shared(const std::string& name, std::vector<Parameter*> sources,
                                  DerivedParameter::Compute compute,
                                  DerivedParameter::Pull pull) override {
    return whole_.derive_shared(named(name), std::move(sources), std::move(compute),
                                std::move(pull));
  }
  const std::vector<const Site*>& sites() const override { return sites_; }
  const BaseFacts& base() const override { return whole_.base(); }
  Stream stream(const Site& site, const std::string& part) const override {
    return whole_.stream(site, named(part));
  }

 private:
  std::string named(const std::string& part) const {
    return part.empty() ? part_ : part_ + "." + part;
  }

  ParameterMaker& whole_;
  std::string part_;
  std::vector<const Site*> sites_;
  bool finished_;
};

}  // namespace inlay
