import type { KeyToPath } from '../references.ts';
import type { DownwardFile, Volume, VolumeProjection } from './volume-schema.ts';

/** What is allowed of volumes and yet hardly meant. */
export const volumeWarnings = (volumes: readonly Volume[] = []): string[] => [
  ...volumes.flatMap((volume, i) => modeWarnings(volume, `spec.volumes[${i}]`)),
  ...volumes.flatMap(overlapWarnings),
];

interface WithMode {
  readonly mode?: number | undefined;
}

function modeWarnings(volume: Volume, at: string): string[] {
  const { secret, configMap, downwardAPI, projected } = volume;
  const plain = Object.entries({ secret, configMap, downwardAPI, projected }).flatMap(
    ([name, source]) => [
      ...modeWarning(source?.defaultMode, `${at}.${name}.defaultMode`),
      ...itemWarnings(
        source !== undefined && 'items' in source ? source.items : [],
        `${at}.${name}`,
      ),
    ],
  );
  const sources = (projected?.sources ?? []).flatMap((source, i) =>
    (['secret', 'configMap', 'downwardAPI'] as const).flatMap(name =>
      itemWarnings(source[name]?.items, `${at}.projected.sources[${i}].${name}`),
    ),
  );
  return [...plain, ...sources];
}

const itemWarnings = (items: readonly WithMode[] = [], at: string): string[] =>
  items.flatMap(({ mode }, i) => modeWarning(mode, `${at}.items[${i}].mode`));

/** 400 where 0400 was meant is 0620, which lets a group write what it cannot read. */
function modeWarning(mode: number | undefined, at: string): string[] {
  if (mode === undefined || mode < 0o100 || mode > 0o777) return [];
  const meant = Number.parseInt(String(mode), 8);
  // A decimal that has an 8 or a 9 was not meant as octal.
  if (meant.toString(8) !== String(mode) || !isOdd(mode) || isOdd(meant)) return [];
  return [`${at}: ${mode} is 0${mode.toString(8)} in octal; 0${meant.toString(8)} is ${meant}`];
}

/** Whether anyone may write or execute without reading, or where the owner may not. */
function isOdd(mode: number): boolean {
  const owner = mode >> 6;
  return [owner, (mode >> 3) & 7, mode & 7].some(
    each => (each & 3) !== 0 && ((each & 4) === 0 || (each & 3 & ~owner) !== 0),
  );
}

interface Place {
  readonly path: string;
  /** As it is shown after the path; empty where the volume is the only source. */
  readonly of: string;
}

/** pkg/api/pod/warnings.go warningsForOverlappingVirtualPaths. */
function overlapWarnings({ name, secret, configMap, downwardAPI, projected }: Volume): string[] {
  const tell = (source: string, places: readonly Place[]): string[] =>
    overlaps(places).map(
      text => `volume ${JSON.stringify(name)} (${source}): overlapping paths: ${text}`,
    );
  return [
    ...tell(`ConfigMap ${JSON.stringify(configMap?.name ?? '')}`, placesOf(configMap?.items)),
    ...tell(`Secret ${JSON.stringify(secret?.secretName ?? '')}`, placesOf(secret?.items)),
    ...tell('DownwardAPI', placesOf(downwardAPI?.items)),
    ...tell('Projected', (projected?.sources ?? []).flatMap(placesOfProjection)),
  ];
}

const placesOf = (items: readonly (KeyToPath | DownwardFile)[] = [], of = ''): Place[] =>
  items.map(({ path }) => ({ path: path.replace(/\/+$/, ''), of }));

function placesOfProjection(source: VolumeProjection): Place[] {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  return [
    ...placesOf(configMap?.items, ` (ConfigMap ${JSON.stringify(configMap?.name ?? '')})`),
    ...placesOf(secret?.items, ` (Secret ${JSON.stringify(secret?.name ?? '')})`),
    ...placesOf(downwardAPI?.items, ' (DownwardAPI)'),
    ...(serviceAccountToken === undefined
      ? []
      : [{ path: serviceAccountToken.path, of: ' (ServiceAccountToken)' }]),
  ];
}

function overlaps(places: readonly Place[]): string[] {
  const shown = ({ path, of }: Place): string => `${JSON.stringify(path)}${of}`;
  return places.flatMap((place, i) =>
    places
      .slice(0, i)
      .filter(before => place.path !== '' && before.path !== '' && meet(place.path, before.path))
      .map(before => `${shown(place)} with ${shown(before)}`),
  );
}

const meet = (a: string, b: string): boolean =>
  `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
