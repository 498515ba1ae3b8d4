// The bar between query and answer; it moves by pointer and by arrow keys. The share is a custom property of the container.
import { useCallback, useState, type KeyboardEvent, type PointerEvent, type RefObject } from 'react';

interface Props {
  label: string;
  container: RefObject<HTMLDivElement | null>;
}

export function Splitter({ label, container }: Props) {
  const [share, setShare] = useState(50);
  const move = useCallback(
    (next: number) => {
      const kept = Math.min(75, Math.max(25, next));
      setShare(kept);
      container.current?.style.setProperty('--query-share', String(kept));
    },
    [container],
  );
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const left = event.currentTarget.previousElementSibling?.getBoundingClientRect().left ?? 0;
    const right = event.currentTarget.nextElementSibling?.getBoundingClientRect().right ?? 0;
    if (right > left) move(((event.clientX - left) / (right - left)) * 100);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowLeft') move(share - 2);
    if (event.key === 'ArrowRight') move(share + 2);
  };
  return (
    <div
      className="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={Math.round(share)}
      aria-valuemin={25}
      aria-valuemax={75}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
      onDoubleClick={() => move(50)}
    />
  );
}
