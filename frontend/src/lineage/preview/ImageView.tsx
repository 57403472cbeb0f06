import { useState } from 'react';
import { imageAddress } from '../../api/artifacts';
import type { ImagePreview } from '../../api/types';
import { Notice } from '../../ui/Feedback';
import { formatCount } from '../../ui/format';
import css from './Preview.module.css';

interface Props {
  artifact: string;
  path: string | undefined;
  name: string;
  image: ImagePreview;
}

/** A picture, no larger than itself and than the page. */
export function ImageView({ artifact, path, name, image }: Props) {
  const [broken, setBroken] = useState(false);
  if (broken) {
    return (
      <div className={css.pad}>
        <Notice>The browser cannot draw this picture: its bytes are damaged. Download it to see what is there.</Notice>
      </div>
    );
  }
  const { width, height } = image;
  return (
    <figure className={css.figure}>
      <img
        src={imageAddress(artifact, path)}
        alt={name}
        width={width}
        height={height}
        className={css.picture}
        onError={() => setBroken(true)}
      />
      <figcaption className={css.soft}>
        {formatCount(width)} × {formatCount(height)} pixels, {image.media_type.replace('image/', '').toUpperCase()}
      </figcaption>
    </figure>
  );
}
