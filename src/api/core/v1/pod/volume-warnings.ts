import { shorten } from '../../../../machinery/shorten.ts';
import type { KeyToPath } from '../references.ts';
import { overlaps, type PlacedPath } from './overlapping-paths.ts';
import type { DownwardFile, Volume, VolumeProjection } from './volume-schema.ts';

/** What is allowed of volumes and yet hardly meant. @param max overlaps that are told of one volume */
export function* volumeWarnings(volumes: readonly Volume[] = [], max: number): Generator<string> {
  for (const [i, volume] of volumes.entries()) yield* modeWarnings(volume, `spec.volumes[${i}]`);
  for (const volume of volumes) yield* overlapWarnings(volume, max);
}

interface WithMode {
  readonly mode?: number | undefined;
}

function* modeWarnings(volume: Volume, at: string): Generator<string> {
  const { secret, configMap, downwardAPI, projected } = volume;
  for (const [name, source] of Object.entries({ secret, configMap, downwardAPI, projected })) {
    yield* modeWarning(source?.defaultMode, () => `${at}.${name}.defaultMode`);
    const items = source !== undefined && 'items' in source ? source.items : [];
    yield* itemWarnings(items, `${at}.${name}`);
  }
  for (const [i, source] of (projected?.sources ?? []).entries()) {
    for (const name of ['secret', 'configMap', 'downwardAPI'] as const) {
      yield* itemWarnings(source[name]?.items, `${at}.projected.sources[${i}].${name}`);
    }
  }
}

function* itemWarnings(items: readonly WithMode[] = [], at: string): Generator<string> {
  for (const [i, { mode }] of items.entries()) {
    yield* modeWarning(mode, () => `${at}.items[${i}].mode`);
  }
}

/** 400 where 0400 was meant is 0620, which lets a group write what it cannot read. */
function modeWarning(mode: number | undefined, at: () => string): string[] {
  if (mode === undefined || mode < 0o100 || mode > 0o777) return [];
  const meant = Number.parseInt(String(mode), 8);
  // A decimal that has an 8 or a 9 was not meant as octal.
  if (meant.toString(8) !== String(mode) || !isOdd(mode) || isOdd(meant)) return [];
  return [`${at()}: ${mode} is 0${mode.toString(8)} in octal; 0${meant.toString(8)} is ${meant}`];
}

/** Whether anyone may write or execute without reading, or where the owner may not. */
function isOdd(mode: number): boolean {
  const owner = mode >> 6;
  return [owner, (mode >> 3) & 7, mode & 7].some(
    each => (each & 3) !== 0 && ((each & 4) === 0 || (each & 3 & ~owner) !== 0),
  );
}

/** A path in a volume, and its source as a warning names it: empty where the volume is the only one. */
interface Place extends PlacedPath {
  readonly of: string;
}

/** pkg/api/pod/warnings.go warningsForOverlappingVirtualPaths. */
function* overlapWarnings(volume: Volume, max: number): Generator<string> {
  const { name, secret, configMap, downwardAPI, projected } = volume;
  const sources: readonly (readonly [source: string, places: readonly Place[]])[] = [
    [`ConfigMap ${quoted(configMap?.name)}`, placesOf(configMap?.items)],
    [`Secret ${quoted(secret?.secretName)}`, placesOf(secret?.items)],
    ['DownwardAPI', placesOf(downwardAPI?.items)],
    ['Projected', (projected?.sources ?? []).flatMap(placesOfProjection)],
  ];
  for (const [source, places] of sources) {
    for (const [place, before] of overlaps(places, max)) {
      yield `volume ${quoted(name)} (${source}): overlapping paths: ${shown(place)} with ${shown(before)}`;
    }
  }
}

const quoted = (name = ''): string => JSON.stringify(shorten(name));
const shown = ({ path, of }: Place): string => `${quoted(path)}${of}`;

const placesOf = (items: readonly (KeyToPath | DownwardFile)[] = [], of = ''): Place[] =>
  items.map(({ path }) => ({ path, of }));

function placesOfProjection(source: VolumeProjection): Place[] {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  return [
    ...placesOf(configMap?.items, ` (ConfigMap ${quoted(configMap?.name)})`),
    ...placesOf(secret?.items, ` (Secret ${quoted(secret?.name)})`),
    ...placesOf(downwardAPI?.items, ' (DownwardAPI)'),
    ...(serviceAccountToken === undefined
      ? []
      : [{ path: serviceAccountToken.path, of: ' (ServiceAccountToken)' }]),
  ];
}
