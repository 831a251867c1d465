// AdapterHub's ReftConfig and what our methods loreft, noreft and direft make of it.
#pragma once

#include "adapters/adapterhub_form.h"

namespace inlay {

const AdapterHubForm& loreft_adapterhub_form();
const AdapterHubForm& noreft_adapterhub_form();
const AdapterHubForm& direft_adapterhub_form();

}  // namespace inlay
