// What the server would refuse, said before asking it. The server decides; these only answer sooner.

/** Characters as the server counts them: code points, not UTF-16 units. */
const length = (text: string) => [...text].length;

export function checkName(name: string): string | true {
  if (name.trim() === "") return "Enter a name.";
  const over = length(name) - 60;
  if (over > 0) return `Use at most 60 characters; this is ${over} over.`;
  if (/\p{Cc}/u.test(name)) return "Leave out line breaks and control characters.";
  return true;
}

export function checkLabel(label: string): string | true {
  return label.trim() === "" || checkName(label);
}

export function checkEmail(email: string): string | true {
  if (email.trim() === "") return "Enter your email address.";
  return /^[^\s@]+@[^\s@]+$/.test(email.trim()) && email.trim().length <= 254
    ? true
    : "Enter an address like name@example.com.";
}

export function checkCode(code: string): string | true {
  return code.trim().length >= 6 ? true : "Enter the six digits that the app shows, or a recovery code.";
}

export function checkNewPassword(password: string): string | true {
  if (length(password) < 8) return "Use at least 8 characters.";
  return length(password) <= 256 ? true : "Use at most 256 characters.";
}

export function checkReason(reason: string): string | true {
  if (reason.trim() === "") return "Say why: the members of the tenant will read it.";
  const over = length(reason.trim()) - 500;
  return over <= 0 || `Use at most 500 characters; this is ${over} over.`;
}

export function checkPlanId(id: string): string | true {
  if (id.trim() === "") return "Enter an id.";
  return (
    /^[a-z0-9][a-z0-9-]{0,39}$/.test(id.trim()) ||
    "Use 1 to 40 small letters, digits and hyphens, and no hyphen first."
  );
}
