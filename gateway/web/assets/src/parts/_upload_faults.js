// Why a sending stopped or waits, in the words of the gateway's own answer where there is one.
export const CHANGED =
  "The file was changed or moved after you chose it. Load this page again and choose it once more.";
const LOST = "The connection was lost.";
const KEPT = "Nothing that arrived is lost";

export function statusOf(fault) {
  return fault.originalResponse ? fault.originalResponse.getStatus() : 0;
}

// Whether another try may help without a person.
export function mayPass(fault) {
  const status = statusOf(fault);
  return !status || status === 409 || status === 423 || status >= 500;
}

export function waiting(fault) {
  return `${reason(fault) || LOST} Trying again. ${KEPT}.`;
}

export function stopped(fault) {
  return reason(fault) || `${LOST} ${KEPT}: go on when you are online again.`;
}

function reason(fault) {
  const status = statusOf(fault);
  if (!status) return "";
  if (status === 401) return `Your session has ended. ${KEPT}.`;
  try {
    const told = JSON.parse(fault.originalResponse.getBody());
    return [told.title, told.remedy].filter(Boolean).join(" ");
  } catch {
    return `The service cannot take the file at the moment (fault ${status}).`;
  }
}
