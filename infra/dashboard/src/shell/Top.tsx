import TopNavigation, {
  type TopNavigationProps,
} from "@cloudscape-design/components/top-navigation";
import type { Session } from "../session";
import { useFollow } from "../shared/links";
import { texts } from "../texts";
import { COLORS, DENSITIES, useAppearance } from "./appearance";

const SIGN_OUT = "sign-out";

/** The bar at the top: the product, the page's look, and the person. */
export function Top({ session }: { session: Session }) {
  const follow = useFollow();
  const { color, setColor, density, setDensity } = useAppearance();
  const look: TopNavigationProps.MenuDropdownUtility = {
    type: "menu-dropdown",
    iconName: "settings",
    ariaLabel: texts.appearance.label,
    title: texts.appearance.label,
    items: [
      {
        text: texts.appearance.mode,
        items: COLORS.map((id) => choice(id, texts.appearance[id], id === color)),
      },
      {
        text: texts.appearance.density,
        items: DENSITIES.map((id) => choice(id, texts.appearance[id], id === density)),
      },
    ],
    onItemClick: ({ detail }) => {
      const chosenColor = COLORS.find((each) => each === detail.id);
      const chosenDensity = DENSITIES.find((each) => each === detail.id);
      if (chosenColor) setColor(chosenColor);
      if (chosenDensity) setDensity(chosenDensity);
    },
  };
  const person: TopNavigationProps.MenuDropdownUtility = {
    type: "menu-dropdown",
    iconName: "user-profile",
    text: session.email,
    ariaLabel: session.email,
    items: [{ id: SIGN_OUT, text: texts.user.signOut }],
    onItemClick: ({ detail }) => {
      if (detail.id === SIGN_OUT) void session.signOut();
    },
  };
  return (
    <div id="top">
      <TopNavigation
        identity={{ href: "/", title: texts.product, onFollow: follow }}
        utilities={[look, person]}
      />
    </div>
  );
}

function choice(id: string, text: string, checked: boolean) {
  return { id, text, itemType: "checkbox", checked } as const;
}
