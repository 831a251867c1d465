#include "method_cases.h"

#include <cctype>

#include "adapters/method.h"

namespace inlay {
namespace {

// Every method's own example, and settings that take another path through it.
std::vector<std::string> method_texts() {
  std::vector<std::string> texts;
  for (const MethodInfo* method : all_methods()) texts.push_back(method->example);
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

// Decoders have no table under the name that these texts call it by, and biases in GPT-2 alone.
bool has_places(const Family& family, const std::string& method) {
  if (!is_decoder(family)) return true;
  bool biased = family.name == "gpt2" || method.find("bitfit") == std::string::npos;
  return biased && method.find("position") == std::string::npos;
}

}  // namespace

std::vector<MethodCase> all_method_cases() {
  std::vector<MethodCase> cases;
  for (const Family* family : all_families()) {
    for (const std::string& method : method_texts()) {
      if (has_places(*family, method)) cases.push_back({family, method});
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
