/** Move, in all weathers. Ran against: see weather.ts. */
import { weatherLaws } from "./weather.ts";

weatherLaws("move");
