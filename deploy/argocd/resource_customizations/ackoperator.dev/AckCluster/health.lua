-- Health of an AckCluster for Argo CD. It tells what the operator's conditions say and judges nothing by itself.
-- Only base functions and tables: scripts in argocd-cm run without the string library.
local meta = obj.metadata
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local function is(kind)
  return conditions[kind] ~= nil and conditions[kind].status == "True"
end

-- The reason of Ready is always the most urgent one.
local ready = conditions.Ready or {}
local health = {}

if (meta.annotations or {})["ackoperator.dev/paused"] == "true" or ready.reason == "Paused" then
  health.status = "Suspended"
  health.message = "Held by an annotation: nothing is changed and nothing is deleted until it is removed"
elseif ready.reason == nil or status.observedGeneration ~= meta.generation then
  health.status = "Progressing"
  health.message = "Waiting for the operator to see this object"
else
  health.message = ready.reason .. ": " .. (ready.message or "")
  if is("Stalled") then
    health.status = "Degraded"
  elseif is("Reconciling") or meta.deletionTimestamp ~= nil then
    health.status = "Progressing"
  elseif is("Ready") then
    health.status = "Healthy"
  elseif ready.reason == "Observed" then
    health.status = "Suspended"
  else
    health.status = "Degraded"
  end
end

-- From 3.6 on Argo CD shows a going object by this message and the status above; older ones say "Pending deletion".
if meta.deletionTimestamp ~= nil then
  health.deletionMessage = health.message
end
return health
