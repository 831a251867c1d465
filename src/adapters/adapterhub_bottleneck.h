// AdapterHub's BnConfig and what our bottlenecks and Compacters make of it.
#pragma once

#include "adapters/adapterhub_form.h"

namespace inlay {

const AdapterHubForm& bottleneck_adapterhub_form();
const AdapterHubForm& compacter_adapterhub_form();
const AdapterHubForm& compacter_plus_plus_adapterhub_form();

}  // namespace inlay
