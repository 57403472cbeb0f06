import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { placeOf } from '../router/place';
import { Notice } from '../ui/Feedback';
import { useTitle } from '../ui/Page';
import { AgainForm, CONFIRMED } from './AgainForm';
import { SignInCard } from './Card';
import css from './Card.module.css';
import { refusalWords } from './words';

const again = getRouteApi('/sign-in/again');
const confirmed = getRouteApi('/sign-in/confirmed');

/** For pages that are not of this application: the console's. It leads on, or says to go back to the other tab. */
export function AgainPage() {
  useTitle('Confirm that it is you');
  const { next } = again.useSearch();
  const [done, setDone] = useState(false);
  const finish = useCallback(() => {
    if (next === undefined) setDone(true);
    else window.location.replace(placeOf(next));
  }, [next]);
  return (
    <SignInCard title={done ? 'Thank you' : 'Is it you?'}>
      {done ? (
        <GoBack />
      ) : (
        <>
          <p className={css.soft}>You signed in a while ago, and this concerns who may do what: say who you are once more.</p>
          <AgainForm onDone={finish} />
        </>
      )}
    </SignInCard>
  );
}

/** Where a provider leads back to, in a tab of its own: it tells the tab that waits, and closes. */
export function ConfirmedPage() {
  useTitle('Confirmed');
  const refusal = refusalWords(confirmed.useSearch().error);
  useEffect(() => {
    if (refusal !== null) return;
    const channel = new BroadcastChannel(CONFIRMED);
    channel.postMessage('');
    channel.close();
    window.close();
  }, [refusal]);
  return <SignInCard title={refusal === null ? 'Thank you' : 'Not confirmed'}>{refusal === null ? <GoBack /> : <Notice>{refusal}</Notice>}</SignInCard>;
}

function GoBack() {
  return (
    <p className={css.soft} role="status">
      Close this tab and go on in the other one.
    </p>
  );
}
