// What a method file gives: its configuration, which sites it takes, and the hook it puts there.
//
// Adding a method is one file in methods/ with `const MethodInfo& method_<name>()` and one line in
// methods/list.h. Saving, loading, freezing, gating, counting are written once, in this folder,
// never per method.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "autograd/derived_parameter.h"
#include "autograd/parameter.h"
#include "base/fields.h"
#include "base/random.h"
#include "nn/base_facts.h"
#include "nn/site.h"

namespace inlay {

struct AdapterHubForm;
struct PeftForm;

// How an adapter of a method is written to disk.
enum class AdapterFormat { kPeft, kAdapterHub, kNative };

// Where a hook's parameters are made. Each is named by its site and its part:
// "encoder.layer.0.output" and "lora_A.weight".
class ParameterMaker {
 public:
  virtual ~ParameterMaker() = default;
  // REQUIRES: value is F32. The parameter lives as long as the adapter.
  virtual Parameter& make(const Site& site, const std::string& part, Tensor value) = 0;
  // Trained, but moved by the method's training() alone: no gradient is made.
  virtual Parameter& moved(const Site& site, const std::string& part, Tensor value) = 0;
  // Saved and loaded with the adapter, but never trained: an index (I32, I64), a projection.
  virtual Parameter& fixed(const Site& site, const std::string& part, Tensor value) = 0;
  // One for the whole adapter, made when first asked for; `start` draws from the stream of its
  // name. REQUIRES: it is asked for in the same way, trained or not, at every site.
  using Start = std::function<Tensor(const Stream&)>;
  virtual Parameter& shared(const std::string& name, const Start& start) = 0;
  virtual Parameter& shared_fixed(const std::string& name, const Start& start) = 0;
  // A function of parameters made here; not saved. Lives as long as the adapter.
  virtual DerivedParameter& derive(const std::string& name, std::vector<Parameter*> sources,
                                   DerivedParameter::Compute compute,
                                   DerivedParameter::Pull pull) = 0;
  // The same, one for the whole adapter, made when first asked for.
  virtual DerivedParameter& derive_shared(const std::string& name, std::vector<Parameter*> sources,
                                          DerivedParameter::Compute compute,
                                          DerivedParameter::Pull pull) = 0;
  // All sites that the method selected, in order.
  virtual const std::vector<const Site*>& sites() const = 0;
  virtual const BaseFacts& base() const = 0;
  // The stream of a parameter's initial values: named by site and part, so every tensor differs.
  virtual Stream stream(const Site& site, const std::string& part) const = 0;
};

class Adapter;
class Calibration;
class MethodTraining;
class Method;

// An adapter's configuration with values for tensors of it, by their full names.
struct AdapterForm {
  std::unique_ptr<Method> method;
  std::map<std::string, Tensor> values;
};

class Method {
 public:
  virtual ~Method() = default;
  virtual void fields(FieldVisitor& visit) = 0;
  // Fills in settings that were left to the base; called once, before select() for an adapter.
  virtual void settle(const BaseFacts&) {}
  // The sites it adapts, in the base's order. Fails (kUsage) where a target matches nothing.
  virtual std::vector<const Site*> select(const BaseFacts& base) const = 0;
  virtual std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const = 0;
  // Positions of the base that virtual tokens take, so that a text has as many fewer.
  virtual int64_t positions_taken() const { return 0; }
  // Whether the format of MethodInfo holds an adapter with these fields; ours does otherwise.
  virtual bool fits_format() const { return true; }
  // Whether a fresh adapter leaves every output of the base as it is.
  virtual bool identity_at_start() const { return true; }
  // Whether gradients are those of the function that runs forward. DoRA's norm is a constant for
  // its gradient, by its paper.
  virtual bool gradient_is_exact() const { return true; }
  // Examples whose gradients are summed before the tree.
  virtual int64_t gradient_chunk() const { return 1; }
  // What is kept of a trained adapter, where that is not what training worked on: other sizes, or
  // values that hold for the unchanged base. Of the same method; no method: the adapter itself.
  virtual AdapterForm finished(const Adapter&) const { return {}; }
  // Whether the examples of a batch are computed from each other while training, so that no part of
  // a batch can be computed without the rest.
  virtual bool couples_batch() const { return false; }
  // Whether training begins with a look at training batches; then calibrate() gives the adapter
  // that training starts from. Loading a saved one needs neither.
  virtual bool needs_calibration() const { return false; }
  virtual AdapterForm calibrate(Adapter&, Calibration&) const { return {}; }
  // Whether it can be trained as a part of a union or composition, which pass on to their parts
  // neither calibrate(), training() nor finished().
  virtual bool trains_together() const { return !needs_calibration(); }
  // What the method does during training beyond gradients; null: nothing. Lives as long as one
  // training run, and shorter than the adapter.
  virtual std::unique_ptr<MethodTraining> training(Adapter&) const;
};

struct MethodInfo {
  std::string name;
  std::string summary;
  std::string citation;
  std::string example;  // "lora[r=8,alpha=16]"
  AdapterFormat format;
  const PeftForm* peft = nullptr;              // how PEFT keeps it; null: PEFT has no such method
  const AdapterHubForm* adapterhub = nullptr;  // the same of AdapterHub
  // One consistent set of defaults, for little data.
  double learning_rate;
  int64_t epochs;
  std::unique_ptr<Method> (*make)();
};

// All methods, in the order of methods/list.h.
std::vector<const MethodInfo*> all_methods();
// kUsage with the nearest and all names when there is none.
const MethodInfo& find_method(const std::string& name);

// A method with its configuration, from text such as "lora[r=8,alpha=16]"; methods with | between
// them are a union; a composition of methods is written "stack(lora, bottleneck)".
struct ConfiguredMethod {
  const MethodInfo* info;
  std::unique_ptr<Method> method;
};
ConfiguredMethod parse_method(const std::string& text);
// With all of its settings, as parse_method() reads it.
std::string method_text(const ConfiguredMethod& method);

}  // namespace inlay
