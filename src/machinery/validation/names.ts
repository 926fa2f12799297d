/**
 * Kubernetes' rules for names and keys (apimachinery util/validation, api/validation). Each answers
 * what is wrong, in Kubernetes' words; an empty list means that nothing is.
 */

const dnsLabelText = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainText = `${dnsLabelText}(\\.${dnsLabelText})*`;
const dns1035Text = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualifiedText = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValueText = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const configKeyText = '[-._a-zA-Z0-9]+';
const envNameText = '[-._a-zA-Z][-._a-zA-Z0-9]*';

const whole = (text: string): RegExp => new RegExp(`^(?:${text})$`);
const dnsLabel = whole(dnsLabelText);
/** The same language as `subdomainText`, without a group for each of a million labels. */
const subdomain = {
  test: (text: string): boolean => subdomainEnds.test(text) && !badSubdomainSeparator.test(text),
};
const subdomainEnds = whole('[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?');
const badSubdomainSeparator = /\.[-.]|-\./;
const dns1035 = whole(dns1035Text);
const qualified = whole(qualifiedText);
const labelValueRule = whole(labelValueText);
const configKey = whole(configKeyText);
const envName = whole(envNameText);

const maxLength = (max: number): string => `must be no more than ${max} characters`;

/** Words a failed regular expression as Kubernetes does, odd spaces included. */
const regexError = (message: string, regex: string, ...examples: string[]): string => {
  const eg = examples.map(each => `'${each}', `).join(' or ');
  return `${message} (${eg === '' ? '' : `e.g. ${eg}`}regex used for validation is '${regex}')`;
};

interface NameRule {
  readonly rule: Pick<RegExp, 'test'>;
  readonly max: number;
  readonly message: string;
}

const named =
  ({ rule, max, message }: NameRule) =>
  (value: string): string[] => [
    ...(value.length > max ? [maxLength(max)] : []),
    ...(rule.test(value) ? [] : [message]),
  ];

export const dns1123Label = named({
  rule: dnsLabel,
  max: 63,
  message: regexError(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
    dnsLabelText,
    'my-name',
    '123-abc',
  ),
});

export const dns1123Subdomain = named({
  rule: subdomain,
  max: 253,
  message: regexError(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    subdomainText,
    'example.com',
  ),
});

export const dns1035Label = named({
  rule: dns1035,
  max: 63,
  message: regexError(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    dns1035Text,
    'my-name',
    'abc-123',
  ),
});

/** Kubernetes sets no limit, etcd one of 1.5 MiB: here names are parts of keys that have to be short. */
const maxPathSegmentBytes = 1024;

/** Names that only have to fit into a URL's path. */
export const pathSegmentName = (value: string): string[] =>
  Buffer.byteLength(value) > maxPathSegmentBytes
    ? [`must be no more than ${maxPathSegmentBytes} bytes`]
    : pathSegment(value);

/** What may stand between two slashes of a URL (IsValidPathSegmentName). */
export function pathSegment(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter(each => value.includes(each)).map(each => `may not contain '${each}'`);
}

const nameMessage = regexError(
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualifiedText,
  'MyName',
  'my.name',
  '123-abc',
);

/** `prefix/name`, as keys of labels and annotations and as finalizers are. */
export function qualifiedName(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      regexError(
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        qualifiedText,
        'MyName',
        'my.name',
        '123-abc',
      ) + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  }
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const errors: string[] = [];
  if (prefix === '') errors.push('prefix part must be non-empty');
  else if (prefix !== undefined)
    errors.push(...dns1123Subdomain(prefix).map(each => `prefix part ${each}`));
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push(`name part ${maxLength(63)}`);
  if (!qualified.test(name)) errors.push(nameMessage);
  return errors;
}

export const labelValue = named({
  rule: labelValueRule,
  max: 63,
  message: regexError(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    labelValueText,
    'MyValue',
    'my_value',
    '12345',
  ),
});

const configMapKeyShape = named({
  rule: configKey,
  max: 253,
  message: regexError(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    configKeyText,
    'key.name',
    'KEY_NAME',
    'key-name',
  ),
});

/** Keys of Secrets and ConfigMaps. */
export const configMapKey = (value: string): string[] => [
  ...configMapKeyShape(value),
  ...notADirectory(value),
];

function notADirectory(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

/** Names of variables until 1.30: what the document of Keylet calls valid. */
export const envVarNameStrict = (value: string): string[] => [
  ...(envName.test(value)
    ? []
    : [
        regexError(
          "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
          envNameText,
          'my.env-name',
          'MY_ENV.NAME',
          'MyEnvName1',
        ),
      ]),
  ...notADirectory(value),
];

/** Names of variables since 1.34. */
export function envVarNameRelaxed(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(value)
    ? []
    : [
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ];
}

/** Names of ports: IANA_SVC_NAME. */
export function portName(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 15) errors.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(value)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errors.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) {
    errors.push('must not begin or end with a hyphen');
  }
  return errors;
}

export const portNumber = (value: number): string[] =>
  value >= 1 && value <= 65_535 ? [] : ['must be between 1 and 65535, inclusive'];
