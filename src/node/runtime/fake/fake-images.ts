import { createHash } from 'node:crypto';
import type { Image, ImageService } from '../image-service.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Intercept } from './call-control.ts';

export interface FakeImages {
  readonly port: ImageService;
  /** As if it had been pulled. */
  add(image: string): Image;
  /** @returns its id. @throws RuntimeError `not-found` */
  mustGetRef(image: string): string;
}

/** Every image can be pulled. */
export function createFakeImages(intercept: Intercept): FakeImages {
  const images = new Map<string, Image>();
  const find = (name: string): Image | undefined =>
    images.get(name) ?? [...images.values()].find(({ id }) => id === name);
  const add = (name: string): Image => {
    const digest = createHash('sha256').update(name).digest('hex');
    const image: Image = {
      id: `sha256:${digest}`,
      repoTags: [name],
      repoDigests: [`${name.replace(/:[^:/]*$/, '')}@sha256:${digest}`],
      size: 1024,
      username: '',
    };
    images.set(name, image);
    return image;
  };
  const port: ImageService = {
    imageStatus: intercept('imageStatus', name => find(name)),
    listImages: intercept('listImages', () => [...images.values()]),
    pullImage: intercept('pullImage', name => add(name).id),
    removeImage: intercept('removeImage', name => {
      const found = find(name);
      for (const [key, image] of images) if (image === found) images.delete(key);
    }),
  };
  return {
    port,
    add,
    mustGetRef(name) {
      const found = find(name);
      if (found === undefined)
        throw new RuntimeError(
          'not-found',
          `rpc error: code = NotFound desc = failed to resolve image "${name}": not found`,
        );
      return found.id;
    },
  };
}
