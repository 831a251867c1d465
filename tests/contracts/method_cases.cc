#include "method_cases.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "adapters/adapter.h"

namespace inlay {
namespace {

std::vector<std::string> examples() {
  std::vector<std::string> texts;
  for (const MethodInfo* method : all_methods()) texts.push_back(method->example);
  return texts;
}

// On bases of texts.
std::vector<std::string> method_texts() {
  std::vector<std::string> texts = examples();
  for (const char* text :
       {"lora[r=4,use_dora=true]",
        "lora[r=2,use_dora=true,dropout=0.1,layers_to_transform=0]",
        "lora[r=4,lora_bias=true,lora_fa=true]",
        "lora[r=3,use_gating=true,lora_bias=true,dropout=0.1]",
        "lora[r=4,init_lora_weights=pissa,rank_pattern='.*\\.1\\..*':2]",
        "lora[r=2,init_lora_weights=pissa,pissa_niter=4,use_rslora=true]",
        "lora[r=4,init_lora_weights=olora]",
        "lora[r=4,init_lora_weights=orthogonal]",
        "vera[r=16,save_projection=false,projection_prng_key=3,dropout=0.1]",
        "lora[r=4,use_rslora=true,rank_pattern='.*\\.1\\..*':2,init_lora_weights=gaussian]",
        "bottleneck[preset=houlsby,reduction_factor=4,init_weights=houlsby]",
        "bottleneck[preset=parallel,dropout=0.1]",
        "bottleneck[preset=scaled_parallel,leave_out=0]",
        "bottleneck[preset=adapter_plus,reduction_factor=8]",
        "bottleneck[use_gating=true,residual_before_ln=false]",
        "bottleneck[preset=parallel,use_gating=true]",
        "bottleneck[residual_before_ln=post_add,stochastic_depth=0.4]",
        "bottleneck[preset=seq_bn_inv,reduction_factor=8]",
        "bottleneck[preset=double_seq_bn_inv,init_weights=mam_adapter,inv_adapter_reduction_factor="
        "4]",
        "stack(bottleneck[preset=seq_bn_inv], bottleneck[preset=seq_bn_inv])",
        "compacter[reduction_factor=8,phm_dim=2,phm_rank=2]",
        "fuse(bottleneck[preset=parallel], bottleneck[reduction_factor=8])",
        "average(lora[r=2]:1, stack(lora[r=3], bottleneck):3)",
        "split(lora[r=2]:2, lora[r=3])",
        "drop(lora[r=2], 1)",
        "prefix_tuning[num_virtual_tokens=3,shift_positions=true]",
        "loha[r=2,alpha=4,rank_pattern='.*\\.1\\..*':3]",
        "lokr[r=2,alpha=4,decompose_both=true]",
        "lokr[r=8,decompose_factor=2]",
        "miss[r=7,dropout=0.1]",
        "shira[r=3,random_seed=42]",
        "hra[r=3]",
        "oft[oft_block_size=4,use_cayley_neumann=false,block_share=true]",
        "oft[oft_block_size=8,coft=true,eps=0.3]",
        "boft[boft_block_size=0,boft_block_num=4]",
        "c3a[block_size=4,init_weights=gaussian]",
        "fourierft[n_frequency=20,init_weights=false]",
        "randlora[r=4,alpha=4,dropout=0.1,target_modules=all-linear]",
        "vblora[r=1,num_vectors=5,vector_length=4,topk=5,dropout=0.1]",
        "ia3[target_modules=all-linear,feedforward_modules='.*\\.1\\..*']",
        "loreft[r=3,layers=1,dropout=0,non_linearity=gelu]",
        "lora[r=2,rank_pattern='.*\\.1\\..*':1]|ia3|bitfit|lora[r=3]|compacter[reduction_factor=8]",
        "prefix_tuning[num_virtual_tokens=3,use_gating=true,shared_gating=false]",
        "zero_init_prefix[adapter_len=3,adapter_layers=1,gate=scalar]",
        "p_tuning[num_virtual_tokens=3,encoder_hidden_size=8,placement=inputs_embeds]",
        "p_tuning[num_virtual_tokens=3,encoder_reparameterization_type=none,placement=inputs_"
        "embeds]",
        "stack(prompt_tuning[num_virtual_tokens=2], prefix_tuning[num_virtual_tokens=3])",
        "prompt_tuning[num_virtual_tokens=3,prompt_tuning_init=random_uniform,combine=prefix_after_"
        "bos]",
        "prompt_tuning[num_virtual_tokens=4,prompt_tuning_init=normal,placement=inputs_embeds]",
        "trainable_tokens[token_indices=1+3+0,target_modules=position_embeddings]",
        "trainable_tokens[token_indices=9+30+6]|lora[r=2]|bitfit",
        "stack(trainable_tokens[token_indices=30+7+21+5], "
        "prompt_tuning[num_virtual_tokens=2,placement=inputs_embeds])",
        "prefix_tuning[num_virtual_tokens=3,prefix_projection=true,encoder_hidden_size=8,"
        "dropout=0.1,leave_out=0]"}) {
    texts.push_back(text);
  }
  return texts;
}

bool is_of_images(const std::string& method) {
  std::vector<std::string> names = methods_of_images();
  return std::find(names.begin(), names.end(), method.substr(0, method.find('['))) != names.end();
}

// Decoders have no table under the name that these texts call it by, and biases in GPT-2 alone.
bool has_places(const Family& family, const std::string& method) {
  if (is_of_images(method)) return false;
  if (!is_decoder(family)) return true;
  bool biased = family.name == "gpt2" || method.find("bitfit") == std::string::npos;
  return biased && method.find("position") == std::string::npos;
}

// Convolutional networks and transformers have other places, and tiny ones few channels: the method
// itself says what fits.
bool is_taken(const Family& family, const std::string& method) {
  try {
    Adapter::create("asked", parse_method(method), tiny_model(family)->facts(), 1);
    return true;
  } catch (const Error& error) {
    return error.kind() != ErrorKind::kUsage && error.kind() != ErrorKind::kInput;
  }
}

std::vector<std::string> methods_of(const Family& family) {
  bool images = tiny_facts(family).images;
  std::vector<std::string> texts = images ? examples() : method_texts();
  for (const std::string& text : images ? texts_of_images() : std::vector<std::string>())
    texts.push_back(text);
  std::erase_if(texts, [&](const std::string& text) {
    return images ? !is_taken(family, text) : !has_places(family, text);
  });
  return texts;
}

}  // namespace

std::shared_ptr<const Model> tiny_model(const Family& family) {
  static std::map<std::string, std::shared_ptr<const Model>> models;
  auto& model = models[family.name];
  if (model == nullptr) model = load_model(tiny_model_folder(family));
  return model;
}

std::vector<std::string> methods_of_images() {
  return {"residual", "conv_adapter", "bn_tuning", "vpt", "convpass", "mona"};
}

std::vector<std::string> texts_of_images() {
  return {"lora[r=2,target_modules=all-linear]",
          "residual[mode=series]",
          "residual[statistics=base]",
          "bn_tuning[statistics=base]",
          "conv_adapter[gamma=2,non_linearity=silu]",
          "vpt[tokens=3,deep=true]",
          "convpass[dim=3,scale=0.5]",
          "mona[dim=5]",
          "stack(vpt[tokens=2], convpass[dim=4])",
          "ssf|ln_tuning",
          "ssf[target_modules='.*layer.*']|lora[r=2,target_modules=all-linear]"};
}

std::vector<MethodCase> all_method_cases() {
  std::vector<MethodCase> cases;
  std::set<std::string> seen;
  for (const Family* family : contract_families()) {
    // The smallest maps of the tiny MobileNetV2 are of few places: norms by the statistics of a
    // batch are too steep there for finite differences.
    bool steep = family->name == "mobilenet_v2";
    for (const std::string& method : methods_of(*family)) {
      bool first = !steep && seen.insert(method).second;
      cases.push_back({family, method, first});
    }
  }
  return cases;
}

std::string method_case_name(const testing::TestParamInfo<MethodCase>& info) {
  std::string name = info.param.family->name + "_" + info.param.method;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

}  // namespace inlay
